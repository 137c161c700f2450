"""The figures of the page as SVG files of their own, for a paper: the same shapes in the light colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from robustiqa.reports.html.arena import Arena, arenas
from robustiqa.reports.html.drawing import Figure, Key, Panel
from robustiqa.reports.html.environment import environment
from robustiqa.reports.html.page import figures_of
from robustiqa.reports.rows import Row

COLUMNS: Final = 3
GAP, TITLE, ROW, SWATCH = 16, 22, 22, 46
LETTER: Final = 6.8  # pixels, about, that a letter of a legend takes


@dataclass(frozen=True)
class Placed:
    """A panel or an entry of the legend, and where its top left corner is."""

    x: int
    y: int
    what: Panel | Key


def figures_svg(rows: Sequence[Row]) -> dict[str, str]:
    """SVG texts by file name, such as ``1-srocc-over-eps.svg``; the number is that of the dataset on the page."""
    return svg_files(arenas(rows))


def svg_files(fields: Sequence[Arena]) -> dict[str, str]:
    """The same of arenas."""
    figures = [(i, figure) for i, arena in enumerate(fields, 1) for figure in figures_of(arena)]
    return {f"{i}-{figure.name}.svg": figure_svg(figure) for i, figure in figures}


def figure_svg(figure: Figure) -> str:
    """One figure of the page as an SVG text."""
    columns = min(COLUMNS, len(figure.panels))
    width = columns * figure.panels[0].width + (columns - 1) * GAP
    legend, top = _legend(figure.legend, width)
    panels: list[Placed] = []
    for start in range(0, len(figure.panels), columns):
        row = figure.panels[start : start + columns]
        panels += [Placed(i * (panel.width + GAP), top, panel) for i, panel in enumerate(row)]
        top += TITLE + max(panel.height for panel in row) + GAP
    template = environment().get_template("figure.svg.j2")
    return template.render(width=width, height=top - GAP, legend=legend, panels=panels, figure=figure, title=TITLE)


def _legend(keys: Sequence[Key], width: int) -> tuple[list[Placed], int]:
    """The entries from left to right in as many rows as they need, and where the panels begin."""
    placed, x, y = list[Placed](), 0, 0
    for key in keys:
        wide = int(SWATCH + LETTER * len(key.label))
        if x and x + wide > width:
            x, y = 0, y + ROW
        placed.append(Placed(x, y, key))
        x += wide
    return placed, y + ROW + GAP if keys else 0
