"""Tables that are shaded by their numbers."""

from dataclasses import dataclass
from typing import Final

from robustiqa.reports.html.tables import Cell, Table, number, sort_key

SHADES: Final = 9  # in chart.css


@dataclass(frozen=True)
class HeatMap:
    """The table under a heading, what it says in words, and the values of its lightest and darkest shade."""

    name: str
    title: str
    text: str
    table: Table
    scale: tuple[str, str]


def shaded(value: float, top: float, detail: str = "", css: str = "") -> Cell:
    """A cell whose shade is the share of ``top`` that ``value`` is; what is not above 0 has the lightest."""
    share = value / top if top > 0 else 0.0
    shade = min(SHADES - 1, int(share * SHADES)) if share > 0 else 0
    return Cell(number(value, 2), sort_key(value), f"number shade{shade} {css}".strip(), detail)
