"""Attacked views of a run, arranged as the paper's tables of robustness are: defended models by attacks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from robustiqa.benchmarks.cell import CellSpec, canonical
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.compose import View
from robustiqa.reports.conditions import budget_text, search_text, threat_text
from robustiqa.reports.crosschecks import cross_flags
from robustiqa.reports.flags import flags_of
from robustiqa.reports.formats.numbers import eps_text
from robustiqa.reports.paper_figures import ATTACK_FIELDS, ATTACKS, defense_rank, rank_of

UNDEFENDED: Final = frozenset({"white-box", "black-box"})


class AttackColumn(NamedTuple):
    """An attack as a column: its full spelling in the results, its key, and its title."""

    label: str
    field: str
    title: str


@dataclass
class Variant:
    """A model with a defense under a threat, and the views of all attacks on it.

    Attributes:
        threat: with the source of a transfer and how the search was made; empty where nothing needs to be said.
        carried: the images were made against another model.
        again: how many variants before it are called the same and differ in something else, such as weights.
        views: by (attack label, ε, direction).
        flags: of every view.
    """

    model: str
    defense: str
    defense_label: str
    threat: str
    carried: bool = False
    again: int = 0
    views: dict[tuple[str, float, str], View] = field(default_factory=dict)
    flags: dict[tuple[str, float, str], set[str]] = field(default_factory=dict)

    def at(self, label: str, eps: float) -> dict[str, View]:
        """Views of the attack ``label`` at ``eps`` by direction."""
        return {d: view for (own, at, d), view in self.views.items() if (own, at) == (label, eps)}

    def flags_at(self, eps: float) -> set[str]:
        """Flags of all attacks at ``eps``."""
        return {flag for (_, at, _), flags in self.flags.items() if at == eps for flag in flags}

    @property
    def name(self) -> str:
        """The model's name, numbered where several variants would be called the same."""
        return f"{self.model} ({self.again + 1})" if self.again else self.model

    @property
    def group(self) -> str:
        """What it is compared with: attacks on one model, or images carried over to it."""
        return f"{self.model}, transferred" if self.carried else self.model

    @property
    def order(self) -> tuple[object, ...]:
        """The paper's order of models and defenses, then by name; what was carried over to a model comes last."""
        defense = defense_rank(self.defense), self.defense_label
        return rank_of(self.model), self.model, self.carried, *defense, self.threat, self.again


def variants(views: Sequence[View]) -> list[list[Variant]]:
    """All variants in the order of the paper's tables, a list for each dataset.

    What was calibrated to equal visibility has lists of its own, behind those of equal ε.
    """
    found: dict[tuple[tuple[str | float, ...], str], dict[str, Variant]] = {}
    for view, crossed in zip(views, cross_flags(views), strict=True):
        spec = view.spec
        if spec.attack is None:
            continue
        threat = threat_text(spec)
        if spec.threat in UNDEFENDED:  # it only repeats which kind of attack it is
            threat = search_text(spec).removeprefix(", ")
        alike = dict.fromkeys(("attack", "eps", "direction", "randomised", "eot", "source"))  # the threat names that
        varies = {**alike, "threat": threat}
        key = canonical({**spec.model_dump(mode="json"), **varies})
        label = "none" if spec.defense is None else spec.defense.label
        name = "none" if spec.defense is None else spec.defense.name
        budget = () if spec.calibrate is None else (budget_text(spec), spec.eps)
        own = found.setdefault((budget, spec.dataset.manifest), {})
        called = [other for other in own.values() if (other.model, other.defense_label) == (spec.model.name, label)]
        again = sum(other.threat == threat for other in called)
        variant = own.setdefault(key, Variant(spec.model.name, name, label, threat, spec.source is not None, again))
        place = (spec.attack.label, spec.eps, view.direction)
        variant.views[place] = view
        variant.flags[place] = {*flags_of(view), *crossed}
    lists = sorted(found.items(), key=lambda item: item[0][0])  # stable: datasets as the views come
    return [sorted(own.values(), key=lambda v: v.order) for _, own in lists]


def spec_of(chosen: Sequence[Variant]) -> CellSpec:
    """Of one of the variants' views: they share dataset and, where that is calibrated, budget."""
    return next(iter(chosen[0].views.values())).spec


def calibrated(chosen: Sequence[Variant]) -> bool:
    """Whether each image had an ε of its own."""
    return spec_of(chosen).calibrate is not None


def visibility(chosen: Sequence[Variant]) -> str:
    """What a title says of calibrated attacks, such as `` at ssim=0.95``."""
    return f" at {budget_text(spec_of(chosen))}" if calibrated(chosen) else ""


def at_text(chosen: Sequence[Variant], eps: float) -> str:
    """``ε = 8/255``, or what every image's own ε was chosen to reach."""
    if not calibrated(chosen):
        return f"ε = {eps_text(eps)}"
    return f"{budget_text(spec_of(chosen))}, each image at the largest ε that reaches it, {eps_text(eps)} at most"


def radius(chosen: Sequence[Variant], eps: float) -> float:
    """``eps`` as these results spell it; of calibrated ones the largest that was looked at.

    Raises:
        InvalidInput: no attack was run at this ε.
    """
    if calibrated(chosen):
        return spec_of(chosen).eps
    radii = sorted({at for variant in chosen for _, at, _ in variant.views})
    same = [at for at in radii if math.isclose(at, eps, rel_tol=1e-9)]
    if not same:
        known = ", ".join(map(eps_text, radii)) or "none"
        raise InvalidInput(f"no attack at ε = {eps_text(eps)} in these results; choose with --eps among: {known}.")
    return same[0]


def attacks_at(chosen: Sequence[Variant], eps: float) -> list[AttackColumn]:
    """The attacks at ``eps``, the paper's first, in its order."""
    names = {
        label: view.spec.attack.name
        for variant in chosen
        for (label, at, _), view in variant.views.items()
        if at == eps and view.spec.attack is not None
    }
    order = list(ATTACKS)
    ranked = sorted(names, key=lambda label: (order.index(names[label]) if names[label] in order else 99, label))
    alone = [label for label in ranked if list(names.values()).count(names[label]) == 1]
    return [_column(label, names[label], alone=label in alone) for label in ranked]


def _column(label: str, name: str, *, alone: bool) -> AttackColumn:
    title = ATTACKS.get(name, name)
    return AttackColumn(label, ATTACK_FIELDS.get(name, name) if alone else label, title if alone else label)


def paper_attacks(known: Sequence[AttackColumn], fields: Iterable[str]) -> list[AttackColumn]:
    """Those of the paper's attacks (``fields``) that ``known`` lacks, as columns that only the paper fills."""
    names = {field: name for name, field in ATTACK_FIELDS.items()}
    have = {column.field for column in known}
    return [AttackColumn("", field, ATTACKS[names[field]]) for field in fields if field not in have]


def spelled_attacks(columns: Sequence[AttackColumn]) -> str:
    """Which parameters or version stand behind the titles, where they are not the attack's own."""
    special = [f"{own.title} is {own.label}" for own in columns if ":" in own.label and own.label != own.title]
    return "".join(f"; {text}" for text in special)
