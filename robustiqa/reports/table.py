"""A table as data: what every format of a report is written from, so that none of them computes anything."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Better: TypeAlias = Literal["higher", "lower", ""]
ARROWS: Final[dict[Better, str]] = {"higher": "↑", "lower": "↓", "": ""}


@dataclass(frozen=True)
class Number:
    """A figure with its 95 % interval, NaN where it does not exist, and how it compares with the others of its group.

    Attributes:
        best: the best of its group.
        tied: not separable from the best by their paired interval.
        mark: signs after the figure that the table's notes explain.
        half: whether the interval is shown as ± its half width; otherwise as [lo, hi].
        digits: after the decimal point.
    """

    value: float
    lo: float = math.nan
    hi: float = math.nan
    best: bool = False
    tied: bool = False
    mark: str = ""
    half: bool = False
    digits: int = 3


Content: TypeAlias = str | int | Number | None  # None: nothing there, shown as a dash


@dataclass(frozen=True)
class Column:
    """A column; those of the same ``group`` stand side by side under its name.

    Attributes:
        key: what it is called in CSV and JSON; unique in its table.
        paper: whether it holds the paper's own figures.
    """

    key: str
    title: str
    group: str = ""
    better: Better = ""
    paper: bool = False

    @property
    def heading(self) -> str:
        """Group, title and arrow on one line."""
        return " ".join(filter(None, (self.group, self.title, ARROWS[self.better])))


@dataclass(frozen=True)
class Line:
    """A row; a rule separates lines of different ``group``."""

    cells: Mapping[str, Content]
    group: str = ""


@dataclass(frozen=True)
class Table:
    """A table with what a reader must know, ``notes``, one sentence or more each."""

    name: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
