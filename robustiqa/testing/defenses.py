"""Checks of a defense: what it does to a model, and whether the defended model can be attacked and compared."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.digests import weights_digest
from robustiqa.core.draws import reported_scores
from robustiqa.core.errors import FaultyDefense
from robustiqa.core.model import QualityModel
from robustiqa.defenses.base import Defense
from robustiqa.defenses.compose import Composition
from robustiqa.defenses.purifiers.base import Purifier
from robustiqa.models.ssim import SSIM
from robustiqa.testing.findings import (
    SEEDS,
    SIDE,
    Finding,
    Images,
    collect,
    declaration,
    random_state,
    refuse,
    sample_images,
    shown,
)
from robustiqa.testing.models import find_faults

HINTS: Final = {
    "gradient": "an adaptive attack has nothing to follow; lend it a gradient (BPDA) with "
    "robustiqa.defenses.purifiers.substitute.lend_gradient",
    "determinism": "draw from the generators that purify() gets, and say so in the property randomised",
    "batch": "row i of purify() may depend on image i and generator i alone",
}
ITS_OWN: Final = {"direction", "randomness"}  # checks of models that are too strict here, and replaced below


def check_defense(defense: Defense, model: QualityModel | None = None) -> None:
    """Nothing, if the defense keeps the contract of :class:`Defense`.

    Args:
        model: what it is tried on; by default SSIM, which a defense that needs a trainable model will refuse.

    Raises:
        FaultyDefense: it does not; the message lists everything that was found.
    """
    name = getattr(defense, "name", type(defense).__name__)
    refuse("defense", name, find_defense_faults(defense, model), FaultyDefense)


def find_defense_faults(defense: Defense, model: QualityModel | None = None) -> list[Finding]:
    """All faults of a defense. One that is declared wrongly or makes no model is not looked at further."""
    if not isinstance(defense, Composition):
        found = [Finding("declaration", message) for message in declaration("defense", Defense, defense)]
        if found:
            return found
    tried = SSIM().frozen() if model is None else model.frozen()
    found = collect("apply", partial(_apply, defense, tried))
    if found:
        return found
    images = sample_images(max(SIDE, defense.apply(tried).info.min_size))
    for name, check in CHECKS.items():
        found += collect(name, partial(check, defense, tried, images))
    return found + _as_model(defense, tried)


def _apply(defense: Defense, model: QualityModel) -> Iterator[str]:
    before, info = weights_digest(model), model.info
    defended: object = defense.apply(model)  # an author may return anything
    if not isinstance(defended, QualityModel):
        yield f"apply() returned {type(defended).__name__}; wanted a QualityModel."
        return
    if defended is model:
        yield "apply() returned the model that it got; the undefended model is needed as well: return another one."
    if weights_digest(model) != before or model.info != info:
        yield "apply() changed the weights or the info of the model that it got; work on a copy."
    if defended.info.name != info.name or defended.info.lower_better != info.lower_better:
        yield (
            f"the defended model calls itself {defended.info.name!r}, lower_better={defended.info.lower_better}; "
            f"wanted {info.name!r}, lower_better={info.lower_better}: start from dataclasses.replace(model.info, ...)."
        )
    if defended.training or any(parameter.requires_grad for parameter in defended.parameters()):
        yield "the defended model is not frozen; return it .frozen(), as attacks expect."


def _repeats(defense: Defense, model: QualityModel, images: Images) -> Iterator[str]:
    first, again = (_score(defense.apply(model), images) for _ in range(2))
    if not torch.equal(first, again):
        yield f"applied twice it scores {shown(first)}, then {shown(again)}; it is a function of its parameters."


def _global_state(defense: Defense, model: QualityModel, images: Images) -> Iterator[str]:
    before = random_state()
    _score(defense.apply(model), images)
    if random_state() != before:
        yield "it draws from or reseeds a global generator; draw from the generators that purify() gets."


def _leaves_the_model(defense: Defense, model: QualityModel, images: Images) -> Iterator[str]:
    before = _score(model, images)
    _score(defense.apply(model), images)
    if not torch.equal(before, _score(model, images)):
        yield "the undefended model scores differently once the defended one was used; they share what changes."


def _purified(defense: Defense, model: QualityModel, images: Images) -> Iterator[str]:  # noqa: ARG001
    if not isinstance(defense, Purifier):
        return
    purified, other = (defense.purify(images.worse, _generators(shift)) for shift in (0, 1000))
    if defense.randomised == (purified.shape == other.shape and torch.equal(purified, other)):
        does = "draws nothing" if defense.randomised else "changes with its generators"
        yield f"randomised is {defense.randomised}, but purify() {does}; correct the property."
    if purified.ndim != 4 or purified.shape[:2] != images.worse.shape[:2] or purified.dtype != images.worse.dtype:
        wanted = f"{images.worse.dtype} [3, 3, H, W]"
        yield f"purify() returned {purified.dtype} {tuple(purified.shape)}; wanted {wanted}."
    elif not bool(((purified >= 0) & (purified <= 1)).all()):
        low, high = (float(value) for value in purified.aminmax())
        yield f"purified images reach from {low:.3g} to {high:.3g}; wanted [0, 1]: clamp them."


def _direction(defense: Defense, model: QualityModel, images: Images) -> Iterator[str]:
    """A strong purifier blurs the difference; on average it must be left, and the right way round."""
    defended = defense.apply(model)
    reference = defended.prepare(images.ref)
    same, worse = (reported_scores(defended, reference, dist, SEEDS).score for dist in (images.ref, images.worse))
    if not float((same - worse).mean()) * defended.info.orientation > 0:
        yield (
            f"identical images score {shown(same)} and visibly distorted ones {shown(worse)}: quality is lost or "
            "upside down. A geometric purifier must move both images: set paired = True."
        )


def _generators(shift: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + shift) for seed in SEEDS]


def _as_model(defense: Defense, model: QualityModel) -> list[Finding]:
    """What the defended model does wrong and the undefended one does not, with what a defense does about it."""
    inherited = {finding.check for finding in find_faults(model)}
    return [
        Finding(fault.check, f"{fault.message} {HINTS[fault.check]}." if fault.check in HINTS else fault.message)
        for fault in find_faults(defense.apply(model))
        if fault.check not in inherited | ITS_OWN
    ]


def _score(model: QualityModel, images: Images) -> Tensor:
    with torch.no_grad():
        return model.compare(model.prepare(images.ref).seeded(SEEDS), images.dist)


CHECKS: Final[dict[str, Callable[[Defense, QualityModel, Images], Iterator[str]]]] = {
    "repeats": _repeats,
    "global-state": _global_state,
    "undefended": _leaves_the_model,
    "purified": _purified,
    "direction": _direction,
}
