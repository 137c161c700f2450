"""Carlini and Wagner's change of variables, inside an ε ball (IEEE S&P 2017, arXiv 1608.04644).

The original minimises the size of the perturbation until a class flips; a score has no class, and tables at a budget
need the budget kept. Here x = low + (high - low) sigmoid(w), where [low, high] is the ball cut with [0, 1], and Adam
maximises J over w: every iterate is feasible and nothing is clipped. The minimum-distortion form is another attack.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.adam import STABILITY, Adam
from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

EDGE: Final = 1e-3  # a pixel on the box's edge would have a sigmoid of gradient 0 and never move


@dataclass(frozen=True)
class CW(Attack):
    """Adam on the logit of each pixel's place in its box; moments are per pixel, so samples do not meet."""

    name: ClassVar[str] = "cw"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Carlini and Wagner, IEEE S&P 2017, arXiv 1608.04644"

    steps: int = 100
    lr: float = 0.2

    def __post_init__(self) -> None:
        at_least(self, steps=1, lr=0)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        box = Box(ball)
        w = box.logit(x)
        adam = Adam(w)
        for _ in range(self.steps):
            _, gradient = search.value_and_grad(box.image(w))
            w = w + self.lr * adam.direction(box.slope(gradient, w), STABILITY * box.width)
        return box.image(w)


class Box:
    """Images as low + width sigmoid(w): every w is feasible."""

    def __init__(self, ball: Ball) -> None:
        self._ball = ball
        self.width = (ball.high - ball.low).clamp_min(torch.finfo(ball.low.dtype).tiny)

    def logit(self, x: Tensor) -> Tensor:
        """The w of ``x``, kept off the edges."""
        return _by_sample(torch.logit, ((x - self._ball.low) / self.width).clamp(EDGE, 1 - EDGE))

    def image(self, w: Tensor) -> Tensor:
        return self._ball.project(self._ball.low + self.width * _by_sample(torch.sigmoid, w))

    def slope(self, gradient: Tensor, w: Tensor) -> Tensor:
        """The derivative by w of what has ``gradient`` by the image."""
        place = _by_sample(torch.sigmoid, w)
        return gradient * self.width * place * (1 - place)


def _by_sample(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``function`` row by row: its vectorised kernel and the one of a tensor's tail may differ in the last bit."""
    return torch.stack([function(row) for row in x])
