"""The paper's figures beside ours: in columns of their own, on the lines that are of the same model and defense."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from robustiqa.reports.paper_figures import CITATION, DEFENSES, MODELS
from robustiqa.reports.table import Column, Content, Line

PaperKey: TypeAlias = tuple[str, ...]
PaperFigures: TypeAlias = Mapping[PaperKey, Mapping[str, Content]]
NOTE = f"Columns called paper: the paper's own figures, as printed ({CITATION}); none of ours is computed from them."


@dataclass(frozen=True)
class Draft:
    """A line of ours before the paper's figures are put beside it.

    Attributes:
        order: where the line stands.
        paper: key of the paper's line that is about the same; None where the paper has none.
    """

    cells: Mapping[str, Content]
    order: tuple[object, ...]
    paper: PaperKey | None = None
    group: str = ""


def beside(
    columns: Sequence[Column], drafts: Sequence[Draft], figures: PaperFigures, absent: Callable[[PaperKey], Draft]
) -> tuple[tuple[Column, ...], tuple[Line, ...]]:
    """Columns and lines with the paper's ``figures``: a column after each of ours that it has figures for, and a line
    for each of its own that ours lack, which ``absent`` describes.
    """
    printed = {name for values in figures.values() for name in values}
    wide = [made for column in columns for made in (column, *([_paper(column)] if column.key in printed else []))]
    known = {draft.paper for draft in drafts}
    every = [*drafts, *(absent(key) for key in figures if key not in known)]
    return tuple(wide), ordered([_filled(draft, figures) for draft in every])


def ordered(drafts: Sequence[Draft]) -> tuple[Line, ...]:
    """The lines of ``drafts`` in their order."""
    return tuple(Line(draft.cells, draft.group) for draft in sorted(drafts, key=lambda draft: draft.order))


def paper_model(name: str, among: Mapping[str, object] | Sequence[str]) -> str | None:
    """The paper's name of our model, among those that a table of it has."""
    return next((paper for paper, ours in MODELS.items() if name in ours and paper in among), None)


def paper_defense(name: str) -> str | None:
    """The paper's name of our defense, ``none`` being its base."""
    return next((paper for paper, ours in DEFENSES.items() if ours == name), None)


def _paper(column: Column) -> Column:
    return Column(f"{column.key}_paper", f"{column.title}, paper", column.group, column.better, paper=True)


def _filled(draft: Draft, figures: PaperFigures) -> Draft:
    printed = figures.get(draft.paper, {}) if draft.paper is not None else {}
    beside_ours = {f"{key}_paper": content for key, content in printed.items()}
    return Draft({**draft.cells, **beside_ours}, draft.order, draft.paper, draft.group)
