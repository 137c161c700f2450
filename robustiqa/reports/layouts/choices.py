"""Accuracies on two-alternative choices as figures of a table: clean, and with one of the two images attacked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from robustiqa.reports.attacked_choices import Comparison, image_comparisons
from robustiqa.reports.compose import View
from robustiqa.reports.layouts.entries import Entry, mean_entry

Attacked: TypeAlias = Literal["preferred", "other"]


@dataclass(frozen=True)
class Choices:
    """Comparisons in which people had a majority, by name.

    Attributes:
        derived: nobody was asked to choose, the order follows from scores of single images.
    """

    comparisons: Mapping[str, Comparison]
    derived: bool


def choices_of(view: View) -> Choices:
    """The choices among the images of a view: people's where its dataset has such, else derived from human scores."""
    rows = {row.id: row for row in view.rows}
    derived = not any(row.rivals for row in view.rows)
    every = image_comparisons(rows, derived=derived)
    return Choices({f"{one.p0} | {one.p1}": one for one in every if one.preference != 0.5}, derived)


def accuracy_entry(choices: Choices, views: Mapping[str, View], attacked: Attacked | None) -> Entry | None:
    """Share of the choices in which the model prefers what people preferred, a tie counting half.

    Args:
        views: of one attack, by direction; the preferred image is lowered, or the other one raised.
        attacked: which image; None for clean scores.
    """
    clean = {i: q for view in views.values() for i, q in _quality(view, "clean").items()}
    moved = {} if attacked is None else _moved(views, -1 if attacked == "preferred" else 1)
    won = {}
    for name, one in choices.comparisons.items():
        good, poor = (one.p1, one.p0) if one.preference > 0.5 else (one.p0, one.p1)
        better = (moved if attacked == "preferred" else clean).get(good)
        worse = (moved if attacked == "other" else clean).get(poor)
        if better is not None and worse is not None:
            won[name] = (float(np.sign(better - worse)) + 1) / 2
    if not won:
        return None
    references = {name: choices.comparisons[name].reference for name in sorted(won)}
    return mean_entry(references, won, len(choices.comparisons) - len(won))


def _quality(view: View, field: str) -> dict[str, float]:
    pairs = zip(view.rows, view.quality(field).tolist(), strict=True)
    return {row.id: score for row, score in pairs if row.status == "ok"}


def _moved(views: Mapping[str, View], sign: int) -> dict[str, float]:
    """Attacked quality of the images that some view moved in the direction ``sign``."""
    found: dict[str, float] = {}
    for view in views.values():
        quality = _quality(view, "attacked")
        found |= {
            row.id: quality[row.id]
            for row, own in zip(view.rows, view.signs.tolist(), strict=True)
            if own == sign and row.id in quality
        }
    return found
