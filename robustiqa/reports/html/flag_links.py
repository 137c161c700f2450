"""Flags of the page: each stands beside its number as a link to what it means and what to do about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from robustiqa.reports.flag_notes import FLAG_NOTES, Note
from robustiqa.reports.rows import Row

UNKNOWN = Note("no note of robustiqa's: a plug-in gave this flag to its model or attack", "ask its author")


@dataclass(frozen=True)
class FlagLink:
    """A flag as it is shown, and the id of its explanation."""

    text: str
    anchor: str


@dataclass(frozen=True)
class ExplainedFlag:
    """A flag with its explanation; ``anchor`` is made of its number, never of its name."""

    name: str
    anchor: str
    note: Note


class FlagBook:
    """The flags that the rows of a page carry, explained once."""

    def __init__(self, rows: Iterable[Row]) -> None:
        names = sorted({flag for row in rows for flag in row.flags})
        self.entries = tuple(ExplainedFlag(name, f"flag-{i}", note_of(name)) for i, name in enumerate(names, 1))
        self._anchors = {entry.name: entry.anchor for entry in self.entries}

    def links(self, *rows: Row) -> tuple[FlagLink, ...]:
        """The flags of rows, each once, sorted."""
        texts = {flag: flag for row in rows for flag in row.flags}
        for row in rows:
            if "dead-gradients" in row.flags:
                texts["dead-gradients"] = f"dead-gradients {row.dead_share:.0%}"
        return tuple(FlagLink(text, self._anchors[flag]) for flag, text in sorted(texts.items()))


def note_of(flag: str) -> Note:
    """What ``docs/flags.md`` says of a flag; ``crop-96`` is a ``crop-N``."""
    name = "crop-N" if re.fullmatch(r"crop-\d+", flag) else flag
    return FLAG_NOTES.get(name, UNKNOWN)
