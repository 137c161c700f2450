"""Attacked views of a run, arranged as the paper's tables of robustness are: defended models by attacks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from robustiqa.benchmarks.cell import canonical
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.compose import View
from robustiqa.reports.crosschecks import cross_flags
from robustiqa.reports.flags import flags_of
from robustiqa.reports.formats.numbers import eps_text
from robustiqa.reports.paper_figures import ATTACK_FIELDS, ATTACKS, DEFENSES, rank_of

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
        views: by (attack label, ε, direction).
        flags: of every view.
    """

    model: str
    defense: str
    defense_label: str
    threat: str
    views: dict[tuple[str, float, str], View] = field(default_factory=dict)
    flags: dict[tuple[str, float, str], set[str]] = field(default_factory=dict)

    def at(self, label: str, eps: float) -> dict[str, View]:
        """Views of the attack ``label`` at ``eps`` by direction."""
        return {d: view for (own, at, d), view in self.views.items() if (own, at) == (label, eps)}

    def flags_at(self, eps: float) -> set[str]:
        """Flags of all attacks at ``eps``."""
        return {flag for (_, at, _), flags in self.flags.items() if at == eps for flag in flags}

    @property
    def order(self) -> tuple[object, ...]:
        """The paper's order of models and defenses, then by name."""
        known = list(DEFENSES.values())
        place = known.index(self.defense) if self.defense in known else len(known)
        return rank_of(self.model), self.model, place, self.defense_label, self.threat


def variants(views: Sequence[View]) -> dict[str, list[Variant]]:
    """By dataset manifest, all variants in the order of the paper's tables."""
    found: dict[str, dict[str, Variant]] = {}
    for view, crossed in zip(views, cross_flags(views), strict=True):
        spec = view.spec
        if spec.attack is None:
            continue
        threat = "" if spec.threat in UNDEFENDED else spec.threat  # there it only repeats which kind of attack it is
        varies = {"attack": None, "eps": None, "direction": None, "threat": threat, "randomised": None, "eot": None}
        key = canonical({**spec.model_dump(mode="json"), **varies})
        label = "none" if spec.defense is None else spec.defense.label
        name = "none" if spec.defense is None else spec.defense.name
        variant = found.setdefault(spec.dataset.manifest, {}).setdefault(
            key, Variant(spec.model.name, name, label, threat)
        )
        place = (spec.attack.label, spec.eps, view.direction)
        variant.views[place] = view
        variant.flags[place] = {*flags_of(view), *crossed}
    return {manifest: sorted(own.values(), key=lambda v: v.order) for manifest, own in found.items()}


def radius(chosen: Sequence[Variant], eps: float) -> float:
    """``eps`` as these results spell it.

    Raises:
        InvalidInput: no attack was run at this ε.
    """
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
    named = [column for column in columns if ":" in column.label and column.label != column.title]
    special = [f"{column.title} is {column.label}" for column in named]
    return "".join(f"; {text}" for text in special)
