"""The Markdown that people read, its code blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (".", "docs", "docs/site", "attacks", "defenses", "benchmarks", "benchmarks/*", "reports", "reports/*")
PAGES = sorted({path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.md")})
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_ENDS = {"&&", "||", "|", ";", "&", ">", ">>", "done"}


def named(path: Path) -> str:
    """A page as one would name it."""
    return str(path.relative_to(ROOT))


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks of one of the languages."""
    return [body for language, body in _FENCED.findall(text) if language in languages]


def prose(text: str) -> str:
    """The page without its fenced blocks."""
    return _FENCED.sub("", text)


def spans(text: str) -> list[str]:
    """What stands in backticks outside fenced blocks, each on one line."""
    return [" ".join(span.split()) for span in _CODE.findall(prose(text))]


def commands(block: str) -> Iterator[list[str]]:
    """Arguments of every ``robustiqa ...`` in a shell block; variables that the block sets are filled in."""
    variables: dict[str, str] = {}
    for line in block.replace("\\\n", " ").splitlines():
        if setting := re.fullmatch(r"(\w+)=(?:\"([^\"]*)\"|'([^']*)')", line.strip()):
            variables[setting[1]] = setting[2] or setting[3]
        filled = re.sub(r"(?<![\"\w])\$(\w+)", lambda match: variables.get(match[1], match[0]), line)
        yield from _of_line(filled)


def _of_line(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.wordchars += "$#{}[]@%+:,…"
    words = list(lexer)
    if "#" in [word[0] for word in words if word]:  # a comment goes to the line's end
        words = words[: next(i for i, word in enumerate(words) if word.startswith("#"))]
    for i, word in enumerate(words):
        if word == "robustiqa":
            yield list(_until_the_end(words[i + 1 :]))
        elif word.startswith("robustiqa ") or " robustiqa " in word:  # within the quotes of another command
            yield from _of_line(word)


def _until_the_end(words: list[str]) -> Iterator[str]:
    for word in words:
        if word in _ENDS:
            return
        yield word
