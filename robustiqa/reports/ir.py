"""IR-Scores of defended models in a run: each against its own undefended model, under the same attack and direction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import canonical
from robustiqa.core.errors import UnknownName
from robustiqa.reports.compose import View, quality_of
from robustiqa.reports.draws import Deck, Estimate
from robustiqa.statistics import (
    PAPER_EPS,
    Bootstrapped,
    Domain,
    Moves,
    QualityMap,
    Resamples,
    fit_map,
    ir_score,
)

Vector = NDArray[np.float64]

HUMAN: Final = "human"
UNIFORM: Final = "uniform"
PARTIAL: Final = "ir-partial-eps"
AFFINE: Final = "ir-affine-map"


@dataclass(frozen=True)
class DomainChoice:
    """The domain that scores are mapped to: how, and what its distribution is.

    Attributes:
        target: ``human`` (human scores of the calibration pairs), ``uniform``, or the name of an undefended model of
            the run, whose clean calibration scores are the target.
    """

    domain: Domain = "ot"
    target: str = HUMAN


@dataclass(frozen=True, eq=False)
class IRResult:
    """The IR-Score that a defended view belongs to, over all ε that it and its undefended model were attacked at.

    Attributes:
        base, defended: moves of the undefended and of the defended model, of the samples in the order of
            ``references``.
        references: reference of every sample, by sample id.
        kinds: of the two maps.
        score, g_base, g_defended, ratio: G_f - G_f^, G_f, G_f^ and 1 - G_f^ / G_f.
    """

    base: Moves
    defended: Moves
    references: Mapping[str, str]
    kinds: tuple[str, str]
    score: Estimate
    g_base: Estimate
    g_defended: Estimate
    ratio: Estimate

    @property
    def differences(self) -> dict[str, float]:
        """What the score is the mean of, by sample id."""
        return dict(zip(self.references, (self.base.per_sample - self.defended.per_sample).tolist(), strict=True))

    @property
    def flags(self) -> tuple[str, ...]:
        """Whether the radii are not the paper's, and whether a map is affine for want of samples."""
        same = len(self.base.eps) == len(PAPER_EPS) and np.allclose(self.base.eps, PAPER_EPS)
        return (*(() if same else (PARTIAL,)), *((AFFINE,) if "affine" in self.kinds else ()))


def ir_results(views: Sequence[View], choice: DomainChoice, deck: Deck) -> list[IRResult | None]:
    """One per view: None for undefended ones, where the undefended model was not attacked alike, and where each image
    has an ε of its own.
    """
    maps = _Maps(views, choice)
    families: dict[str, list[View]] = {}
    for view in views:
        families.setdefault(_family(view), []).append(view)
    found: dict[tuple[str, str], IRResult | None] = {}
    results = []
    for view in views:
        own, base = _family(view), _family(view, undefended=True)
        if view.spec.defense is not None and view.spec.calibrate is None and (own, base) not in found:
            found[own, base] = _result(families.get(base, []), families[own], maps, deck)
        results.append(found.get((own, base)))
    return results


class _Maps:
    """Maps by what was calibrated, each fitted once."""

    def __init__(self, views: Sequence[View], choice: DomainChoice) -> None:
        self._choice = choice
        self._fitted: dict[str, QualityMap] = {}
        self._models = {view.spec.model.name: view for view in views if view.spec.defense is None}
        if choice.target not in {HUMAN, UNIFORM, *self._models}:
            raise UnknownName("target of the domain", choice.target, {HUMAN, UNIFORM, *self._models})

    def of(self, view: View) -> QualityMap:
        key = canonical([view.spec.model.model_dump(mode="json"), view.spec.crop,
                         None if view.spec.defense is None else view.spec.defense.model_dump(mode="json")])  # fmt: skip
        if key not in self._fitted:
            self._fitted[key] = fit_map(_clean(view), self._target(view), self._choice.domain)
        return self._fitted[key]

    def _target(self, view: View) -> Vector | None:
        if self._choice.target == UNIFORM:
            return None
        if self._choice.target == HUMAN:
            return np.array([row.quality for row in view.calibration if row.status == "ok"])
        return _clean(self._models[self._choice.target])


def _clean(view: View) -> Vector:
    return quality_of([row for row in view.calibration if row.status == "ok"], "clean", view.orientation)


def _family(view: View, *, undefended: bool = False) -> str:
    """What views share that differ in ε alone; with ``undefended`` what they would share without their defense."""
    spec = view.spec.model_dump(mode="json")
    attack = None if spec["attack"] is None else {**spec["attack"], "weights": ""}
    changed = {"eps": None, "attack": attack, "direction": view.direction}
    if undefended or view.spec.defense is None:
        changed |= {"defense": None, "threat": None, "randomised": None, "eot": None}
    return canonical({**spec, **changed})


def _result(base: Sequence[View], defended: Sequence[View], maps: _Maps, deck: Deck) -> IRResult | None:
    usable = [[view for view in side if np.isfinite(view.width)] for side in (base, defended)]
    by_eps = [{view.spec.eps: view for view in side} for side in usable]
    eps = sorted(by_eps[0].keys() & by_eps[1].keys())
    sides = [[side[e] for e in eps] for side in by_eps]
    valid = [{row.id: row for row in view.rows if row.status == "ok"} for side in sides for view in side]
    ids = sorted(set.intersection(*map(set, valid))) if valid else []
    if not ids:
        return None
    maps_of = [maps.of(side[0]) for side in sides]
    before, after = (_moves(side, ids, eps, own) for side, own in zip(sides, maps_of, strict=True))
    references = {i: valid[0][i].reference for i in ids}

    def statistics(resamples: Resamples) -> list[Bootstrapped]:
        found = ir_score(before, after, resamples)
        return [found.score, found.base, found.defended, found.ratio]

    estimates = deck.draws(references.values()).estimates(4, statistics)
    return IRResult(before, after, references, (maps_of[0].kind, maps_of[1].kind), *estimates)


def _moves(views: Sequence[View], ids: Sequence[str], eps: Sequence[float], to_domain: QualityMap) -> Moves:
    clean, attacked, signs = [], [], []
    for view in views:
        place = {row.id: i for i, row in enumerate(view.rows)}
        chosen = [place[i] for i in ids]
        clean.append(view.quality("clean")[chosen])
        attacked.append(view.quality("attacked")[chosen])
        signs.append(view.signs[chosen])
    return Moves.of(eps, clean, attacked, signs, to_domain)
