"""What the generated pages are written with: rows of the tables in hand-written pages, and tables of their own."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1]
_CELL_BORDER: Final = re.compile(r"(?<!\\)\|")


def cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table."""
    return [cell.strip() for cell in _CELL_BORDER.split(line.strip().removeprefix("|").removesuffix("|"))]


def rows(text: str) -> Iterable[dict[str, str]]:
    """Every row of every table in ``text``, as heading → cell."""
    headings: list[str] = []
    before = ""
    for line in text.splitlines():
        if re.fullmatch(r"\|[-:| ]+\|", line):
            headings = cells(before)
        elif not line.startswith("|"):
            headings = []
        elif headings:
            yield dict(zip(headings, cells(line), strict=True))
        before = line


def rows_of(page: str, name: str) -> list[Mapping[str, str]]:
    """Rows of the page ``docs/PAGE.md`` whose first cell names ``name`` in code, alone or with parameters."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    named = re.compile(rf"`{re.escape(name)}(:[^`]*)?`")
    return [row for row in rows(text) if named.search(next(iter(row.values())))]


def table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table; nothing where there are no lines."""
    body = ["| " + " | ".join(line) + " |" for line in lines]
    if not body:
        return ""
    return "\n".join(["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|", *body]) + "\n"
