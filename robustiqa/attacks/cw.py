"""Carlini and Wagner's change of variables, inside an ε ball (IEEE S&P 2017, arXiv 1608.04644).

The original minimises the size of the perturbation until a class flips; a score has no class, and tables at a budget
need the budget kept. Here x = low + (high - low) sigmoid(w), where [low, high] is the ball cut with [0, 1], and Adam
maximises J over w: every iterate is feasible and nothing is clipped. The minimum-distortion form is another attack.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

EDGE: Final = 1e-3  # a pixel on the box's edge would have a sigmoid of gradient 0 and never move
BETAS: Final = (0.9, 0.999)
STABILITY: Final = 1e-8


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

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        width = (ball.high - ball.low).clamp_min(torch.finfo(x.dtype).tiny)
        w = torch.logit(((x - ball.low) / width).clamp(EDGE, 1 - EDGE))
        first, second = torch.zeros_like(w), torch.zeros_like(w)
        for step in range(1, self.steps + 1):
            place = torch.sigmoid(w)
            _, gradient = search.value_and_grad(ball.project(ball.low + width * place))
            slope = gradient * width * place * (1 - place)
            first = BETAS[0] * first + (1 - BETAS[0]) * slope
            second = BETAS[1] * second + (1 - BETAS[1]) * slope**2
            rate = self.lr * (1 - BETAS[1] ** step) ** 0.5 / (1 - BETAS[0] ** step)
            w = w + rate * first / (second.sqrt() + STABILITY * width)
        return ball.project(ball.low + width * torch.sigmoid(w))
