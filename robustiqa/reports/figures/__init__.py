"""The paper's figures as named layouts: ``robustiqa report RUN --figure figure3``, one file per layout."""

from collections.abc import Callable, Mapping
from typing import Final

from robustiqa.reports.layouts.run import Run
from robustiqa.reports.named import named_layout

FigureLayout = Callable[[Run], dict[str, str]]
FIGURES: Final[Mapping[str, str]] = {
    "figure3": "quality against speed, from a folder of robustiqa speed",
    "figure5": "feature sets and their Pareto front, from a folder of robustiqa search-features",
    "figure6": "anchored ranking loss and the bounds of Theorem 1, from the log that robustiqa train leaves",
    "figure7": "SROCC over ε",
}


def make_figures(name: str, run: Run) -> dict[str, str]:
    """The figure ``name`` of a run, as SVG texts by file name: one, or one per dataset, image size or training.

    Raises:
        UnknownName: no such figure.
        InvalidInput: the folders hold nothing that the figure shows; the message says what to run.
    """
    layout: FigureLayout = named_layout("figure", name, FIGURES, __name__)
    return layout(run)
