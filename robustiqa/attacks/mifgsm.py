"""Momentum Iterative FGSM (Dong, Liao, Pang, Su, Zhu, Hu and Li, CVPR 2018, arXiv 1710.06081)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm, rows
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class MIFGSM(Attack):
    """Steps of ``alpha`` along a sum of L1-normalised gradients, each older one weighing ``decay`` less (algorithm 1).

    ``norm`` is linf or l2; under l2 ``alpha`` is a root mean square.
    """

    name: ClassVar[str] = "mifgsm"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Dong et al., CVPR 2018, arXiv 1710.06081"

    steps: int = 10
    alpha: float = 2 / 255
    decay: float = 1.0
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        at_least(self, steps=1, alpha=0, decay=0)
        known_norm(self)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        momentum = torch.zeros_like(x)
        for _ in range(self.steps):
            _, gradient = search.value_and_grad(x)
            momentum = self.decay * momentum + normalised(gradient)
            x = ball.project(x + self.alpha * ball.steepest(momentum))
        return x


def normalised(gradient: Tensor) -> Tensor:
    """Each gradient [N, 3, H, W] over the mean of its absolute values; 0 stays 0."""
    sizes = torch.stack([row.abs().mean() for row in gradient])  # by row: no sample's rounding hangs on the others
    return torch.where(rows(sizes) > 0, gradient / rows(sizes), 0.0)
