"""Two-alternative choices out of the cells of single images: clean, and with one of the two images attacked.

A choice is about two images of one reference; each was attacked by itself, so that what the attack on one of them
does to the choice is known without attacking it anew: the margin is the difference of two scores.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, TypeAlias

import numpy as np

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.datasets.bapps import SCORE as SHARES
from robustiqa.reports.compose import View
from robustiqa.reports.layouts.entries import Entry, Vector
from robustiqa.statistics import Bootstrapped, Resamples, bootstrap_mean

Attacked: TypeAlias = Literal["preferred", "other"]
SUM_OF_SHARES: Final = 1e-6


@dataclass(frozen=True)
class Choice:
    """Two images by id, and which of them people preferred."""

    reference: str
    preferred: str
    other: str


@dataclass(frozen=True)
class Choices:
    """Choices by id; ``derived``: nobody was asked to choose, the order follows from scores of single images."""

    choices: Mapping[str, Choice]
    derived: bool


def choices_of(view: View) -> Choices:
    """The choices among the images of a view.

    Where the human score of an image is the share of raters who preferred it, as of BAPPS, the two images of a
    reference are a choice; a tie has no preferred one and is left out. Elsewhere every two images of a reference with
    different human scores are, and are called derived.
    """
    shares = view.spec.dataset.human_score == SHARES
    groups: dict[str, list[SampleRow]] = defaultdict(list)
    for row in view.rows:
        groups[row.reference].append(row)
    choices = {}
    for reference, group in groups.items():
        for first, second in combinations(group, 2) if not shares or _is_choice(group) else ():
            good, poor = (first, second) if first.quality > second.quality else (second, first)
            if good.quality > poor.quality:
                choices[f"{first.id} | {second.id}"] = Choice(reference, good.id, poor.id)
    return Choices(choices, derived=not shares)


def _is_choice(group: Sequence[SampleRow]) -> bool:
    return len(group) == 2 and abs(group[0].quality + group[1].quality - 1) < SUM_OF_SHARES


def accuracy_entry(choices: Choices, views: Mapping[str, View], attacked: Attacked | None) -> Entry | None:
    """Share of the choices in which the model prefers what people preferred, a tie counting half.

    Args:
        views: of one attack, by direction; the preferred image is lowered, or the other one raised.
        attacked: which image; None for clean scores.
    """
    clean = {i: q for view in views.values() for i, q in _quality(view, "clean").items()}
    moved = clean if attacked is None else _moved(views, -1 if attacked == "preferred" else 1)
    margins = {}
    for name, choice in choices.choices.items():
        good = (moved if attacked == "preferred" else clean).get(choice.preferred)
        poor = (moved if attacked == "other" else clean).get(choice.other)
        if good is not None and poor is not None:
            margins[name] = good - poor
    if not margins:
        return None
    references = {name: choices.choices[name].reference for name in sorted(margins)}
    won = {name: (float(np.sign(margins[name])) + 1) / 2 for name in references}
    return Entry(references, {name: (won[name],) for name in references}, _mean, len(choices.choices) - len(won))


def _mean(draws: Resamples, values: Vector) -> Bootstrapped:
    return bootstrap_mean(draws, values[:, 0])


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
