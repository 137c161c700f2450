"""Checks of a quality model on small synthetic images: what attacks take for granted, each with its own message."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.draws import reported_scores
from robustiqa.core.errors import FaultyModel
from robustiqa.core.model import ModelInfo, QualityModel, check_scores
from robustiqa.testing.findings import (
    SEEDS,
    SIDE,
    TOLERANCE,
    Finding,
    Images,
    close,
    collect,
    refuse,
    sample_images,
    shown,
)


def check_model(model: QualityModel) -> None:
    """Nothing, if the model keeps the contract of :class:`QualityModel`.

    Raises:
        FaultyModel: it does not; the message lists everything that was found.
    """
    name = getattr(getattr(model, "info", None), "name", type(model).__name__)
    refuse("model", name, find_faults(model), FaultyModel)


def find_faults(model: QualityModel) -> list[Finding]:
    """All faults of a model. One whose info or scores cannot be used is not looked at further."""
    found = [Finding("info", message) for message in _info(model)]
    if found:
        return found
    model.frozen()
    images = sample_images(max(SIDE, model.info.min_size))
    for name, check in CHECKS.items():
        found += collect(name, partial(check, model, images))
        if name == "scores" and found:
            break
    return found


def _info(model: QualityModel) -> Iterator[str]:
    info = getattr(model, "info", None)
    if not isinstance(info, ModelInfo):
        yield f"the attribute info is {info!r}; wanted a ModelInfo."
        return
    low, high = info.score_range
    if not info.name or not info.paper or not info.licence:
        yield "name, paper and licence must not be empty."
    if low is not None and high is not None and low >= high:
        yield f"score_range {info.score_range} is empty."
    if info.min_size < 1 or info.eot < 1:
        yield f"min_size is {info.min_size} and eot {info.eot}; both are at least 1."


def _scores(model: QualityModel, images: Images) -> Iterator[str]:
    scores = check_scores(_score(model, images.ref, images.dist), len(images.ref), model.info.name)
    if not bool(scores.isfinite().all()):
        yield f"scores {shown(scores)} of ordinary images are not finite."


def _range(model: QualityModel, images: Images) -> Iterator[str]:
    low, high = model.info.score_range
    for name, dist in (("identical", images.ref), ("distorted", images.dist), ("bad", images.worse)):
        scores = _score(model, images.ref, dist)
        slack = TOLERANCE * max(1.0, float(scores.abs().max()))
        if (low is not None and float(scores.min()) < low - slack) or (
            high is not None and float(scores.max()) > high + slack
        ):
            yield f"scores {shown(scores)} of {name} images leave the declared range [{low}, {high}]."


def _batch(model: QualityModel, images: Images) -> Iterator[str]:
    together = _score(model, images.ref, images.dist)
    apart = torch.cat([_score(model, images.ref[[i]], images.dist[[i]], SEEDS[i : i + 1]) for i in range(len(SEEDS))])
    if not close(together, apart):
        yield f"a batch scores {shown(together)}, its samples one by one {shown(apart)}: samples are mixed."
    index = torch.tensor([2, 0, 0])
    reference = model.prepare(images.ref).seeded(SEEDS).select(index)
    with torch.no_grad():
        selected = model.compare(reference, images.dist[index])
    if not close(selected, together[index]):
        yield "selected references score differently: prepare() must keep samples along dimension 0."


def _determinism(model: QualityModel, images: Images) -> Iterator[str]:
    first, again = (_score(model, images.ref, images.dist) for _ in range(2))
    if not torch.equal(first, again):
        draws = "the same seeds" if not model.info.deterministic else "the same images"
        yield f"{draws} score {shown(first)}, then {shown(again)}; draw from reference.generators() alone."


def _randomness(model: QualityModel, images: Images) -> Iterator[str]:
    if model.info.deterministic:
        return
    others = tuple(seed + 1000 for seed in SEEDS)
    first, other = (_score(model, images.ref, images.dist, seeds) for seeds in (SEEDS, others))
    if torch.equal(first, other):
        yield "declared as randomised, but other seeds give the same scores; set deterministic=True."


def _gradient(model: QualityModel, images: Images) -> Iterator[str]:
    if not model.info.differentiable:
        return
    dist = images.dist.clone().requires_grad_()
    score = model.compare(model.prepare(images.ref).seeded(SEEDS), dist)
    if not score.requires_grad:
        yield "the score does not depend on the distorted image for autograd; declare differentiable=False."
        return
    (gradient,) = torch.autograd.grad(score.sum(), dist, allow_unused=True, materialize_grads=True)
    if not bool(gradient.isfinite().all()):
        share = float((~gradient.isfinite()).double().mean())
        yield f"{share:.0%} of the gradient on ordinary images is not finite."
    elif bool((gradient.flatten(1) == 0).all(1).any()):
        yield "the gradient on ordinary images is zero everywhere; declare differentiable=False."


def _direction(model: QualityModel, images: Images) -> Iterator[str]:
    with torch.no_grad():
        reference = model.prepare(images.ref)
    same, worse = (reported_scores(model, reference, dist, SEEDS).score for dist in (images.ref, images.worse))
    if not bool((model.info.orientation * same > model.info.orientation * worse).all()):
        yield (
            f"declared lower_better={model.info.lower_better}, but identical images score {shown(same)} "
            f"and visibly distorted ones {shown(worse)}."
        )


def _min_size(model: QualityModel, images: Images) -> Iterator[str]:
    side = model.info.min_size
    ref, dist = (image[:1, :, :side, : side + 1] for image in (images.ref, images.dist))
    try:
        score = _score(model, ref, dist, SEEDS[:1])
    except Exception as error:  # noqa: BLE001 (as above)
        yield f"declared min_size={side}, but {side + 1}x{side} images raise {type(error).__name__}: {error}"
        return
    if not math.isfinite(float(score)):
        yield f"declared min_size={side}, but {side + 1}x{side} images score {float(score)}."


CHECKS: Final[dict[str, Callable[[QualityModel, Images], Iterator[str]]]] = {
    "scores": _scores,
    "range": _range,
    "batch": _batch,
    "determinism": _determinism,
    "randomness": _randomness,
    "gradient": _gradient,
    "direction": _direction,
    "min_size": _min_size,
}


def _score(model: QualityModel, ref: Tensor, dist: Tensor, seeds: tuple[int, ...] = SEEDS) -> Tensor:
    with torch.no_grad():
        return model.compare(model.prepare(ref).seeded(seeds), dist)
