"""Tables of the page: texts with the values that they are sorted by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robustiqa.reports.draws import Estimate
from robustiqa.reports.html.axes import signed
from robustiqa.reports.html.flag_links import FlagLink
from robustiqa.reports.render import DASH
from robustiqa.reports.rows import Row


@dataclass(frozen=True)
class Cell:
    """A text; ``css`` is of ours; ``detail`` stands below, small.

    ``value`` is what it is sorted by where that is not the text: a number, or nothing for what is undefined.
    """

    text: str
    value: str | None = None
    css: str = ""
    detail: str = ""
    flags: tuple[FlagLink, ...] = ()


@dataclass(frozen=True)
class Table:
    """A caption, column headings and rows; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def text(value: str, detail: str = "") -> Cell:
    """A cell of words."""
    return Cell(value, detail=detail)


def figure(value: float, decimals: int = 3, css: str = "") -> Cell:
    """A cell of one number; what is undefined is a dash that sorts last."""
    return Cell(number(value, decimals), sort_key(value), f"number {css}".strip())


def estimate(value: Estimate | None) -> Cell:
    """A cell of a number, with its interval below."""
    if value is None:
        return Cell(DASH, "", "number")
    return Cell(number(value.value), sort_key(value.value), "number", range_text(value))


def counted(row: Row) -> Cell:
    """How many samples a row is of, and how many were left out."""
    return Cell(f"{row.n} (−{row.n_excluded})" if row.n_excluded else str(row.n), str(row.n), "number")


def number(value: float, decimals: int = 3) -> str:
    """``0.912``, with a proper sign for less, or a dash."""
    return signed(f"{value:.{decimals}f}") if math.isfinite(value) else DASH


def range_text(value: Estimate | None) -> str:
    """``[0.874, 0.941]``, clustered by reference; empty where there is no interval."""
    if value is None or not math.isfinite(value.clustered.lo):
        return ""
    return f"[{number(value.clustered.lo)}, {number(value.clustered.hi)}]"


def estimate_text(value: Estimate | None) -> str:
    """Number and interval in one line."""
    return DASH if value is None else f"{number(value.value)} {range_text(value)}".strip()


def sort_key(value: float) -> str:
    """What the page's script sorts a number by."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def joined(names: Sequence[str], most: int = 6) -> str:
    """``a, b and c``; beyond ``most`` names the rest is counted."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} others"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
