"""What the page compares: entrants (a model with its defense) in trials (an attack at a budget), dataset by dataset."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from robustiqa.benchmarks.cell import CellSpec
from robustiqa.reports.conditions import budget_text, search_text, source_text
from robustiqa.reports.html.styles import Style
from robustiqa.reports.render import eps_text
from robustiqa.reports.rows import Row

LABELS_SEEN: Final = "labels-seen-in-training"


@dataclass(frozen=True, order=True)
class Budget:
    """ε in [0, 1] units: an L∞ radius, or with ``rms`` a limit of the root mean square change.

    ``visibility`` is what every image's own ε was chosen to reach, such as ``ssim=0.95``; ε is then the largest.
    """

    eps: float
    rms: bool = False
    visibility: str = ""

    @classmethod
    def of(cls, spec: CellSpec) -> Self:
        rms = spec.attack is not None and spec.attack.parameters.get("norm") == "l2"
        return cls(spec.eps, rms, "" if spec.calibrate is None else budget_text(spec))

    @property
    def text(self) -> str:
        if self.visibility or not self.eps:
            return self.visibility or "0"
        return f"{eps_text(self.eps)} RMS" if self.rms else eps_text(self.eps)

    @property
    def title(self) -> str:
        """``ε = 8/255``, or the visibility."""
        return self.visibility or f"ε = {self.text}"


@dataclass(frozen=True)
class Entrant:
    """A model with its defense. Equal names with other weights are other entrants."""

    model: str
    defense: str
    weights: str
    label: str
    style: Style

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.model, self.defense, self.weights


@dataclass(frozen=True, eq=False)
class Trial:
    """One attack on one entrant; ``moved`` is the row to take the gain from, ``ranked`` that for SROCC."""

    entrant: Entrant
    budget: Budget
    moved: Row
    ranked: Row

    @property
    def spec(self) -> CellSpec:
        return self.moved.view.spec

    @property
    def carried(self) -> bool:
        """Whether the images were made against another model."""
        return self.spec.source is not None

    @property
    def attack(self) -> str:
        """The attack, with its source where it was carried over."""
        label = self.spec.attack.label if self.spec.attack is not None else ""
        return f"{label} from {source_text(self.spec)}" if self.carried else label

    @property
    def threat(self) -> str:
        """The threat, and how the search was made."""
        return self.spec.threat + search_text(self.spec)

    @property
    def gain(self) -> float:
        return self.moved.gain.value

    @property
    def srocc(self) -> float:
        return self.ranked.srocc_attacked.value


@dataclass(frozen=True)
class Arena:
    """Trials on the same images.

    Attributes:
        trials: attacks on the entrants themselves, and what was carried over to those at the same budget: the worst is
            over both. Where nothing else was done, what was carried over.
        carried: all that was carried over, also to models that were not attacked themselves.
    """

    title: str
    entrants: tuple[Entrant, ...]
    trials: tuple[Trial, ...]
    carried: tuple[Trial, ...] = ()

    @property
    def spec(self) -> CellSpec:
        return self.trials[0].spec

    @cached_property
    def attacks(self) -> tuple[str, ...]:
        """Of those made on the entrants themselves."""
        return tuple(dict.fromkeys(trial.attack for trial in self.trials if not trial.carried))

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        return tuple(sorted({trial.budget for trial in self.trials}))

    @cached_property
    def focus(self) -> Budget:
        """The budget that charts of one budget show: the largest of those that most entrants were attacked at."""
        return _widest(self.trials)

    def focus_of(self, attack: str) -> Budget:
        """The focus, or where this attack was not made there, what is its focus."""
        own = self._by_attack[attack]
        return self.focus if any(trial.budget == self.focus for trial in own) else _widest(own)

    def panel_title(self, attack: str) -> str:
        """The attack, with its budget where that is not the focus."""
        budget = self.focus_of(attack)
        return attack if budget == self.focus else f"{attack} at {budget.title}"

    def of(self, entrant: Entrant, budget: Budget | None = None, attack: str | None = None) -> list[Trial]:
        """The trials of an entrant, of one budget or attack where given."""
        return [
            trial
            for trial in self._by_entrant.get(entrant, ())
            if budget in {None, trial.budget} and attack in {None, trial.attack}
        ]

    @cached_property
    def ranked(self) -> tuple[Entrant, ...]:
        """Entrants from the highest SROCC under attack at the focus to the lowest; those without one last.

        What is not ranked against the others comes after them.
        """

        def key(entrant: Entrant) -> tuple[bool, float]:
            worst = lowest_srocc(self.of(entrant, self.focus))
            return entrant in self.unranked, math.inf if worst is None else -worst.srocc

        return tuple(sorted(self.entrants, key=key))

    @cached_property
    def unranked(self) -> frozenset[Entrant]:
        """Entrants that were trained on these labels, where there are others."""
        seen = frozenset(trial.entrant for trial in self.trials if LABELS_SEEN in trial.ranked.flags)
        return seen if len(seen) < len(self.entrants) else frozenset()

    @property
    def pushed(self) -> str:
        """What charts of gains are at: ``ε = 8/255, direction up``."""
        return f"{self.focus.title}, {_directions(trial.moved for trial in self.trials)}"

    @property
    def turned(self) -> str:
        """What charts of ranks are at: ``ε = 8/255, direction tomean``."""
        return f"{self.focus.title}, {self.turns}"

    @property
    def turns(self) -> str:
        """The direction of all ranks."""
        return _directions(trial.ranked for trial in self.trials)

    @cached_property
    def _by_entrant(self) -> dict[Entrant, list[Trial]]:
        found: dict[Entrant, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.entrant, []).append(trial)
        return found

    @cached_property
    def _by_attack(self) -> dict[str, list[Trial]]:
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.attack, []).append(trial)
        return found


def _widest(trials: Sequence[Trial]) -> Budget:
    """The largest budget of those that most entrants were attacked at; equal ε goes before all else."""

    def weight(budget: Budget) -> tuple[int, bool, float]:
        plain = not budget.rms and not budget.visibility
        return len({trial.entrant for trial in trials if trial.budget == budget}), plain, budget.eps

    return max(sorted({trial.budget for trial in trials}), key=weight)


def _directions(rows: Iterable[Row]) -> str:
    return f"direction {' or '.join(sorted({row.view.direction for row in rows}))}"


def most_moved(trials: Iterable[Trial]) -> Trial | None:
    """The trial of the largest gain: the worst over attacks, threats and seeds; None where none is defined."""
    return max((t for t in trials if math.isfinite(t.gain)), key=lambda t: t.gain, default=None)


def lowest_srocc(trials: Iterable[Trial]) -> Trial | None:
    """The trial of the lowest SROCC, likewise."""
    return min((t for t in trials if math.isfinite(t.srocc)), key=lambda t: t.srocc, default=None)


def arenas(rows: Sequence[Row]) -> list[Arena]:
    """The datasets of a report, each with its entrants; an entrant looks the same in all of them."""
    groups = sorted(_by_setting(rows), key=_is_carried)  # who was not attacked itself takes no colour from the others
    entrants = {e.identity: e for e in _entrants([_identity(next(iter(group.values()))) for group in groups])}
    found: dict[tuple[str, str, int | None], list[Trial]] = {}
    for group in groups:
        spec = next(iter(group.values())).view.spec
        found.setdefault((spec.dataset.name, spec.dataset.manifest, spec.crop), []).append(_trial(group, entrants))
    return [_arena(trials, alone=len(found) == 1) for trials in found.values()]


def _by_setting(rows: Iterable[Row]) -> list[dict[str, Row]]:
    """Rows that differ in direction alone, by direction: those of the same cells."""
    groups: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault(row.view.keys, {})[row.view.direction] = row
    return list(groups.values())


def _is_carried(group: dict[str, Row]) -> bool:
    return next(iter(group.values())).view.spec.source is not None


def _arena(trials: list[Trial], *, alone: bool) -> Arena:
    spec = trials[0].spec
    crop = f", central {spec.crop} pixels" if spec.crop is not None and not alone else ""
    met = {(trial.entrant, trial.budget) for trial in trials if not trial.carried}
    fought = [trial for trial in trials if (trial.entrant, trial.budget) in met] or trials
    entrants = tuple(dict.fromkeys(trial.entrant for trial in fought))
    carried = tuple(trial for trial in trials if trial.carried)
    return Arena(f"{spec.dataset.name}{crop}", entrants, tuple(fought), carried)


def _trial(group: dict[str, Row], entrants: dict[tuple[str, str, str], Entrant]) -> Trial:
    first = next(iter(group.values()))
    moved = group.get("up") or group.get("down") or first
    ranked = group.get("tomean") or group.get("random") or moved
    return Trial(entrants[_identity(first)], Budget.of(first.view.spec), moved, ranked)


def _identity(row: Row) -> tuple[str, str, str]:
    spec = row.view.spec
    return spec.model.name, "" if spec.defense is None else spec.defense.label, spec.model.weights


def _entrants(identities: Iterable[tuple[str, str, str]]) -> list[Entrant]:
    known = list(dict.fromkeys(identities))
    models = list(dict.fromkeys((model, weights) for model, _, weights in known))
    labels = [f"{model} + {defense}" if defense else model for model, defense, _ in known]
    found = []
    for i, (model, defense, weights) in enumerate(known):
        twice = labels.count(labels[i]) > 1
        label = f"{labels[i]} ({weights[:6]})" if twice else labels[i]
        nth = [d for m, d, w in known if (m, w) == (model, weights)].index(defense)
        colour = models.index((model, weights)) if len(models) > 1 else i
        style = Style(colour, i, (nth or 1) if defense else 0)
        found.append(Entrant(model, defense, weights, label, style))
    return found
