"""Defenses side by side: what each costs on clean images, and what is left of a model, adaptive beside oblivious.

Robustness is only what an attacker who knows the defense leaves: the worst of the threats is the number to quote.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from robustiqa.benchmarks.cell import CellSpec, SampleRow, canonical
from robustiqa.reports.compose import View, quality_of
from robustiqa.reports.conditions import budget_text
from robustiqa.reports.rows import Row
from robustiqa.statistics import Interval, Resamples, bootstrap_srocc, paired_difference

KNOWING: Final = ("white-box", "black-box", "adaptive")  # attacks on what is evaluated, not on something else


@dataclass(frozen=True)
class CleanCost:
    """SROCC of the whole, un-attacked images without and with a defense, and the paired change."""

    before: Interval
    after: Interval
    change: Interval


@dataclass(frozen=True)
class Line:
    """A model with one defense, or none, under one attack.

    An undefended model's threat is how it was attacked. Of several rows of one threat, such as of searches that
    averaged more draws, the worst counts.
    """

    spec: CellSpec
    rows: Sequence[Row]
    cost: CleanCost | None

    def srocc(self, *threats: str) -> Interval | None:
        """Attacked SROCC under ``tomean``: the lowest of the threats that were run."""
        found = [row.srocc_attacked.clustered for row in self._of("tomean", threats)]
        return min(found, key=lambda interval: interval.estimate, default=None)

    def gain(self, *threats: str) -> Interval | None:
        """Gain upwards: the highest of the threats that were run."""
        found = [row.gain.clustered for row in self._of("up", threats)]
        return max(found, key=lambda interval: interval.estimate, default=None)

    @property
    def clean(self) -> tuple[Interval | None, Interval | None, Interval | None]:
        """SROCC of clean images before, after and the change; None for an undefended model."""
        return (None, None, None) if self.cost is None else (self.cost.before, self.cost.after, self.cost.change)

    @property
    def worst(self) -> float:
        """The attacked SROCC that lines are sorted by; below all others where there is none."""
        interval = self.srocc(*KNOWING, "oblivious")
        return -np.inf if interval is None or np.isnan(interval.estimate) else interval.estimate

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of all rows; ``non-adaptive`` only where no other threat was run."""
        known = {flag for row in self.rows for flag in row.flags}
        adaptive = any(row.view.spec.threat in KNOWING for row in self.rows)
        return tuple(sorted(known - {"non-adaptive"} if adaptive else known))

    def _of(self, direction: str, threats: Sequence[str]) -> list[Row]:
        views = ((row, row.view) for row in self.rows if row.n)
        return [row for row, view in views if view.direction == direction and view.spec.threat in threats]


def defense_lines(rows: Iterable[Row]) -> list[Line]:
    """Lines grouped by dataset, model, attack and ε; in a group, the best of the worst attacked SROCCs first.

    What was carried over from other models says nothing of knowing a defense, and is left out.
    """
    lines: dict[str, list[Row]] = {}
    known = [row for row in rows if row.view.spec.source is None]
    costs = clean_costs(known)
    for row in known:
        lines.setdefault(_setting(row.view.spec), []).append(row)
    made = []
    for group in lines.values():
        spec = group[0].view.spec
        made.append(Line(spec, group, costs.get(cost_key(spec))))
    return sorted(made, key=lambda line: (_group(line.spec), -line.worst))


def clean_costs(rows: Iterable[Row]) -> dict[tuple[str, ...], CleanCost]:
    """What each defense costs on clean images, by (dataset, model, defense) of a specification; see :func:`cost_key`.

    On the whole images, to which human scores belong, that both were scored on.
    """
    views = {cost_key(row.view.spec): row.view for row in rows if row.view.undefended}
    costs = {key: _clean_cost(view) for key, view in views.items()}
    return {key: cost for key, cost in costs.items() if cost is not None}


def cost_key(spec: CellSpec) -> tuple[str, ...]:
    """Of what :func:`clean_costs` speaks: a dataset, a model and its defense, by content."""
    defense = "" if spec.defense is None else spec.defense.model_dump_json()
    return spec.dataset.manifest, spec.model.model_dump_json(), defense


def _clean_cost(view: View) -> CleanCost | None:
    before, after = _finite(view.undefended), _finite(view.whole)
    ids = sorted(before.keys() & after.keys())
    if not ids:
        return None
    resamples = Resamples.draw([before[i].reference for i in ids])
    human = np.array([before[i].quality for i in ids])
    undefended, defended = (
        bootstrap_srocc(resamples, human, quality_of([rows[i] for i in ids], "clean", view.orientation))
        for rows in (before, after)
    )
    return CleanCost(undefended.interval(), defended.interval(), paired_difference(defended, undefended))


def _finite(rows: Mapping[str, SampleRow]) -> dict[str, SampleRow]:
    return {name: row for name, row in rows.items() if row.status == "ok"}


def _setting(spec: CellSpec) -> str:
    """Cells that differ in threat and direction alone, and in what follows from the threat."""
    fields = spec.model_dump(mode="json")
    attack = None if spec.attack is None else {**fields["attack"], "weights": "", "flags": ()}
    return canonical({**fields, "attack": attack, "threat": None, "direction": None, "eot": None})


def _group(spec: CellSpec) -> tuple[object, ...]:
    attack = "" if spec.attack is None else spec.attack.label
    return spec.dataset.name, spec.model.name, attack, spec.eps, budget_text(spec), spec.crop or 0, spec.seed
