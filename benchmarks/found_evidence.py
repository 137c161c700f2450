"""The rows of a reference run that found.py speaks of, and when their differences confirm a claim."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.defenses import KNOWING, clean_costs, cost_key
from robustiqa.reports.paired import Common
from robustiqa.reports.rows import Row
from robustiqa.statistics import Interval

DATASET: Final = "live-subset"
EPS: Final = 8 / 255
Verdict = Literal["confirmed", "partly confirmed", "not confirmed", "could not be tested here"]


class Evidence:
    """Rows of a run by what they are of: on the LIVE subset, at one ε."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._known = [row for row in rows if row.view.spec.dataset.name == DATASET]
        self._costs = clean_costs(self._known)

    def row(self, model: str, defense: str, attack: str, threat: str = "") -> Row | None:
        """Under ``tomean``; of the threats that know the defense, the worst, unless one is named."""
        found = [row for row in self.rows(model, attack, threat) if defense_of(row) == defense]
        return min(found, key=lambda row: row.srocc_attacked.clustered.estimate, default=None)

    def rows(self, model: str, attack: str, threat: str = "", direction: str = "tomean") -> list[Row]:
        """Of all defenses of a model."""
        return [
            row for row in self._known
            if row.view.spec.model.name == model and row.view.direction == direction
            and row.view.spec.attack is not None and row.view.spec.attack.label == attack
            and np.isclose(row.view.spec.eps, EPS)
            and (row.view.spec.threat == threat if threat else row.view.spec.threat in KNOWING)
        ]  # fmt: skip

    def robustness(self, model: str, defense: str, attack: str) -> Interval | None:
        """IR-Score over all budgets."""
        scores = (row.ir for row in self.rows(model, attack, direction="up") if defense_of(row) == defense)
        return next((one.score.clustered for one in scores if one), None)

    def clean_change(self, model: str, defense: str) -> Interval | None:
        """SROCC of clean whole images with the defense minus without."""
        rows = (row for row in self._known if row.view.spec.model.name == model and defense_of(row) == defense)
        costs = (self._costs.get(cost_key(row.view.spec)) for row in rows)
        return next((cost.change for cost in costs if cost), None)


def defense_of(row: Row) -> str:
    return row.view.spec.defense.label if row.view.spec.defense else "none"


def difference(better: Row, worse: Row, field: str = "attacked") -> Interval:
    """SROCC of one minus the other's, attacked or clean, paired over their common samples."""
    common = Common.of([better.view, worse.view])
    if common is None:
        raise InvalidInput("two rows of one dataset have no sample in common; were they cut differently?")
    return common.srocc(better.view, field).minus(common.srocc(worse.view, field)).clustered


def verdict(differences: Sequence[Interval]) -> Verdict:
    """Confirmed where all are above zero with their intervals, partly where all estimates are, else not."""
    if not differences:
        return "could not be tested here"
    if all(one.lo > 0 for one in differences):
        return "confirmed"
    return "partly confirmed" if all(one.estimate > 0 for one in differences) else "not confirmed"
