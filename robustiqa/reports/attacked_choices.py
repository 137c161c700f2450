"""Two-alternative choices under attack: soft score, majority accuracy, and how many right choices were flipped.

Each image was attacked by itself, up or down. The margin between two images is the difference of their scores, so an
attack on either image, or on both at once within twice the budget, is composed of these and costs no further search
(specification A.9; R-LPIPS' and Ghildyal and Liu's protocols). An attack on the reference is not composed: see
:class:`robustiqa.core.two_afc.TwoAFC`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import Cell, CellSpec, SampleRow
from robustiqa.datasets.triplets import DERIVED
from robustiqa.reports.compose import View, attack_groups
from robustiqa.reports.evaluation import interval_cell, range_cell
from robustiqa.reports.flags import flags_of
from robustiqa.reports.render import budget_text, escape, threat_text
from robustiqa.statistics import Interval, Resamples, TwoAFC, flip_rate, majority_accuracy, soft_score

Target = Literal["preferred", "p0", "p1", "both"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)
Rows = Mapping[str, SampleRow]
Sign = Literal["up", "down"]
Vector = NDArray[np.float64]
TITLES: Final = {
    "soft_clean": "soft clean ↑",
    "soft": "soft attacked ↑",
    "majority_clean": "majority clean ↑",
    "majority": "majority attacked ↑",
    "flips": "flip rate ↓",
}
NOTES: Final = """\
Choices: which of two images is nearer to the reference. Attacked, within ε each, for the other answer: the image that
people preferred, p0, p1, or both.
Soft: mean share of people who agree with the model. Majority: agreement with most people, where people are not tied.
Flip rate: of the choices that were right on clean images, the share that the attack made wrong; it can reach 1.
"""


class Comparison(NamedTuple):
    """Two images of a reference by id, and the share of people who preferred ``p1``."""

    reference: str
    p0: str
    p1: str
    preference: float

    def sign(self, image: str) -> Sign:
        """How an attacker who wants the other answer moves the image."""
        return "down" if image == (self.p1 if self.preference > 0.5 else self.p0) else "up"

    def attacked(self, target: Target) -> tuple[str, ...]:
        """The images that ``target`` means; where people are tied, the answer is the same whatever is attacked."""
        if self.preference == 0.5:
            return ()
        if target == "preferred":
            return (self.p1 if self.preference > 0.5 else self.p0,)
        return {"p0": (self.p0,), "p1": (self.p1,), "both": (self.p0, self.p1)}[target]


@dataclass(frozen=True)
class AttackedChoices:
    """One (dataset, model, defense, attack, ε, threat) with one target.

    Attributes:
        n, n_excluded: comparisons with all scores finite, and those without.
        intervals: ``soft`` and ``majority`` of the attacked images, ``soft_clean`` and ``majority_clean`` of the same
            ones before, and ``flips``, the share of those right before that are not right any more; clustered by
            reference. Absent where no comparison has a majority, or none was right.
        flips_iid: the same share with the i.i.d. interval, to be read where references are few.
    """

    spec: CellSpec
    target: Target
    n: int
    n_excluded: int
    intervals: Mapping[str, Interval]
    flips_iid: Interval | None
    flags: tuple[str, ...]


def attacked_choices(cells: Iterable[Cell]) -> list[AttackedChoices]:
    """Every target that the attacked cells of datasets of comparisons can tell of, for all their comparisons."""
    found = [_choices(group, target) for group in attack_groups(cells) for target in TARGETS]
    return sorted((one for one in found if one is not None), key=_order)


def _order(one: AttackedChoices) -> tuple[str, ...]:
    spec = one.spec
    attack, defense = ("" if part is None else part.label for part in (spec.attack, spec.defense))
    place = str(TARGETS.index(one.target))
    return (spec.dataset.name, spec.model.name, defense, attack, f"{spec.eps:.6f}", spec.threat, place)


def _choices(group: Sequence[Cell], target: Target) -> AttackedChoices | None:
    by_sign: dict[str, Rows] = {cell.spec.direction: {row.id: row for row in cell.samples} for cell in group}
    rows: Rows = {name: row for own in by_sign.values() for name, row in own.items()}
    spec = group[0].spec
    derived = spec.dataset.name.startswith(DERIVED)
    every = _comparisons(rows, derived=derived)
    if derived and target in {"p0", "p1"}:  # which is which means nothing there
        return None
    if not all(image in by_sign.get(one.sign(image), {}) for one in every for image in one.attacked(target)):
        return None

    def attacked(one: Comparison, image: str) -> float | None:
        moved = image in one.attacked(target)
        return by_sign[one.sign(image)][image].attacked if moved else rows[image].clean

    orientation = -1 if spec.model.lower_better else 1
    before = orientation * _pairs(every, lambda _, image: rows[image].clean)
    after = orientation * _pairs(every, attacked)
    keep = np.flatnonzero(np.isfinite(np.hstack((before, after))).all(1))
    if not keep.size:
        return None
    references = [every[i].reference for i in keep]
    preference = [every[i].preference for i in keep]
    clean, moved = (TwoAFC.of(preference, *qualities[keep].T) for qualities in (before, after))
    draws = Resamples.draw(references)
    numbers = {
        "soft_clean": soft_score(clean, draws),
        "soft": soft_score(moved, draws),
        "majority_clean": majority_accuracy(clean, draws),
        "majority": majority_accuracy(moved, draws),
        "flips": flip_rate(clean, moved, draws),
    }
    intervals = {name: number.interval() for name, number in numbers.items() if number is not None}
    flags = {flag for interval in intervals.values() for flag in interval.flags}
    flags |= {flag for cell in group for flag in flags_of(_view(cell))}
    iid = flip_rate(clean, moved, Resamples.draw(references, mode="iid"))
    flips_iid = None if iid is None else iid.interval()
    return AttackedChoices(
        spec, target, len(keep), len(every) - len(keep), intervals, flips_iid, tuple(sorted(flags))
    )


def _pairs(every: Sequence[Comparison], score: Callable[[Comparison, str], float | None]) -> Vector:
    """Scores [n, 2] of p0 and p1; NaN where one is missing."""
    values = [[score(one, image) for image in (one.p0, one.p1)] for one in every]
    return np.array(values, dtype=np.float64).reshape(-1, 2)


def _comparisons(rows: Rows, *, derived: bool) -> list[Comparison]:
    """Comparisons both of whose images have rows, in the order of their ids."""
    if derived:
        groups: dict[str, list[SampleRow]] = defaultdict(list)
        for _, row in sorted(rows.items()):
            groups[row.reference].append(row)
        pairs = (pair for group in groups.values() for pair in combinations(group, 2))
        return [Comparison(a.reference, a.id, b.id, float(b.quality > a.quality)) for a, b in pairs
                if a.quality != b.quality]  # fmt: skip
    return [
        Comparison(row.reference, name, rival, share)
        for name, row in sorted(rows.items())
        for rival, share in row.rivals
        if rival in rows
    ]


def _view(cell: Cell) -> View:
    signs = np.full(len(cell.samples), 1.0 if cell.spec.direction == "up" else -1.0)
    return View(cell.spec, (cell.spec.key,), cell.spec.direction, cell.samples, signs, {}, (), cell.finished)


def choices_markdown(table: Sequence[AttackedChoices]) -> str:
    """The choices as a Markdown table with its notes; empty where there are none."""
    if not table:
        return ""
    records = [
        {
            "dataset": escape(one.spec.dataset.name),
            "model": escape(one.spec.model.name),
            "defense": "none" if one.spec.defense is None else escape(one.spec.defense.label),
            "attack": "none" if one.spec.attack is None else escape(one.spec.attack.label),
            "ε": escape(budget_text(one.spec)),
            "threat": escape(threat_text(one.spec)),
            "attacked": one.target,
            "n": f"{one.n} (−{one.n_excluded})" if one.n_excluded else str(one.n),
            **{f"{title} [95 % CI]": interval_cell(one.intervals.get(name)) for name, title in TITLES.items()},
            "i.i.d. CI": range_cell(one.flips_iid),
            "flags": escape(" ".join(one.flags)),
        }
        for one in table
    ]
    return pd.DataFrame(records).to_markdown(index=False, disable_numparse=True) + f"\n\n{NOTES}"
