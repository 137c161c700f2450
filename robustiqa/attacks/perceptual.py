"""Perceptual attack (Zhang, Li, Min, Zhai, Guo, Yang and Ma, NeurIPS 2022, arXiv 2210.00933): J - lambda D.

D is another full-reference metric between the distorted image and the attacked one, standing in for what people would
notice. The authors sweep lambda and let people choose; here it is bisected per image until D meets a budget.
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.adam import Adam
from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball, Linf, rms, rows
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import split_named
from robustiqa.core.random import RandomStreams
from robustiqa.models import load_model

DECADES: Final = 3.0  # lambda is looked for so far to both sides of where the gradients of J and lambda D are as large
HALVINGS: Final = 12


@dataclass(frozen=True)
class Perceptual(Attack):
    """Adam on J - lambda D within the L-infinity ball, lambda by bisection so that D stays within ``budget``.

    ``distance`` names D, which must not be the attacked model; a quality counts by how far it falls from that of the
    untouched image (``ssim`` with a budget of 0.02: SSIM at least 0.98). An ε of 1 lifts the L-infinity ball. Only
    images within both budgets can be the result; rounding to 8 bits is not held to D. Passes of D are not counted.
    """

    name: ClassVar[str] = "perceptual"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Zhang et al., NeurIPS 2022, arXiv 2210.00933"

    budget: float = 0.02
    distance: str = "ssim"
    bisections: int = 8
    steps: int = 20
    lr: float = 0.005

    def __post_init__(self) -> None:
        at_least(self, budget=0, bisections=1, steps=1, lr=0)

    def _ball(self, center: Tensor, eps: float) -> Ball:
        ball = Linf.around(center, eps)
        return Inconspicuous(ball.center, eps, ball.low, ball.high, Distance(self.distance, center), self.budget)

    @property
    def calls(self) -> Calls:
        climbs = self.bisections + 1
        return Calls(values=climbs, gradients=climbs * self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        if not isinstance(ball, Inconspicuous):
            raise TypeError(type(ball))
        if split_named(search.model.info.name)[0] == split_named(self.distance)[0]:
            raise InvalidInput(f"perceptual: distance={self.distance!r} is the attacked model; name another one.")
        weight = x.new_zeros(len(x), dtype=torch.float64)
        last, unit = self._climb(search, x, ball, weight)
        low, high = -torch.full_like(weight, DECADES), torch.full_like(weight, DECADES)
        for _ in range(self.bisections):
            middle = (low + high) / 2
            last, _ = self._climb(search, x, ball, unit * 10**middle)
            visible = ball.distance.values(last) > self.budget
            low, high = torch.where(visible, middle, low), torch.where(visible, high, middle)
        return last

    def _climb(self, search: Search, x: Tensor, ball: "Inconspicuous", weight: Tensor) -> tuple[Tensor, Tensor]:
        """The last iterate under this lambda [N], and the lambda at which both gradients would be as large there.

        What of the last change D allows is tried as well, at the cost of one query.
        """
        start, adam, unit = x, Adam(x), torch.ones_like(weight)
        for _ in range(self.steps):
            _, gradient = search.value_and_grad(x)
            slope = ball.distance.gradients(x)
            unit = _size(gradient) / _size(slope).clamp_min(1e-30)
            x = ball.project(x + self.lr * adam.direction(gradient - rows(weight).to(x.dtype) * slope))
        search.value(self._allowed(start, x, ball))
        return x, unit

    def _allowed(self, start: Tensor, x: Tensor, ball: "Inconspicuous") -> Tensor:
        """The farthest point from ``start`` towards ``x`` that D was found to allow."""
        low, high = x.new_zeros(len(x)), x.new_ones(len(x))
        share = high
        for _ in range(HALVINGS):
            fits = ball.distance.values(ball.project(start + rows(share) * (x - start))) <= self.budget
            low, high = torch.where(fits, share, low), torch.where(fits, high, share)
            share = (low + high) / 2
        return ball.project(start + rows(low) * (x - start))


class Distance:
    """A metric between untouched images [N, 3, H, W] and others: how far quality falls, one sample at a time."""

    def __init__(self, name: str, untouched: Tensor) -> None:
        self._model = _metric(name).to(untouched.device)
        info = self._model.info
        if min(untouched.shape[-2:]) < info.min_size:
            raise InvalidInput(
                f"perceptual: distance={name!r} needs images of {info.min_size} pixels a side, not "
                f"{untouched.shape[-1]}x{untouched.shape[-2]}; name another one."
            )
        with torch.no_grad():
            self._references = [self._model.prepare(image[None]) for image in untouched]
            self._clean = [self._quality(i, image) for i, image in enumerate(untouched)]

    def values(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """D [M] of images ``x`` [M, 3, H, W] of samples ``index`` (default: all)."""
        samples = range(len(x)) if index is None else index.tolist()
        with torch.no_grad():
            return torch.stack([self._clean[i] - self._quality(i, one) for i, one in zip(samples, x, strict=True)])

    def gradients(self, x: Tensor) -> Tensor:
        """dD/dx [N, 3, H, W]; 0 where it is not finite."""
        slopes = []
        for i, one in enumerate(x):
            image = one.detach().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(-self._quality(i, image), image)
            slopes.append(slope.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0))
        return torch.stack(slopes)

    def _quality(self, sample: int, image: Tensor) -> Tensor:
        return self._model.info.orientation * self._model.compare(self._references[sample], image[None])[0]


@dataclass(frozen=True)
class Inconspicuous(Linf):
    """The part of an L-infinity ball in which ``distance`` is at most ``budget``; projection minds the ball alone."""

    distance: Distance
    budget: float

    def contains(self, x: Tensor, index: Tensor) -> Tensor:
        return super().contains(x, index) & (self.distance.values(x, index) <= self.budget)


def _size(gradient: Tensor) -> Tensor:
    return rms(gradient, torch.zeros_like(gradient))


@cache
def _metric(name: str) -> QualityModel:
    """Loaded once: every batch of a run measures with the same one."""
    return load_model(name)
