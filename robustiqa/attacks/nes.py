"""NES: gradients estimated from scores (Ilyas, Engstrom, Athalye and Lin, ICML 2018, arXiv 1804.08598)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class NES(Attack):
    """Sign steps of ``alpha`` along a gradient that ``pairs`` antithetic pairs x ± ``sigma`` u estimate, u normal.

    Every query is an image of the ball: the pairs are projected, which at a face of the ball halves a pixel's share and
    keeps its sign. ``queries`` are forward passes per sample; an odd one is left over.
    """

    name: ClassVar[str] = "nes"
    access: ClassVar[Access] = "black-box"
    paper: ClassVar[str] = "Ilyas et al., ICML 2018, arXiv 1804.08598"

    queries: int = 10_000
    pairs: int = 20
    sigma: float = 0.001
    alpha: float = 1 / 255

    def __post_init__(self) -> None:
        at_least(self, queries=2, pairs=1, sigma=0, alpha=0)

    @property
    def calls(self) -> Calls:
        return Calls(values=self.queries // 2 * 2)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        generators, left = random.generators(), self.queries // 2
        while left:
            pairs = min(left, self.pairs)
            estimate = torch.zeros_like(x)
            for _ in range(pairs):
                noise = torch.stack([torch.randn(x.shape[1:], generator=g, dtype=x.dtype) for g in generators])
                estimate += self._slope(search, x, ball, noise.to(x.device))
            x = ball.project(x + self.alpha * ball.steepest(estimate))
            left -= pairs
        return x

    def _slope(self, search: Search, x: Tensor, ball: Ball, noise: Tensor) -> Tensor:
        """(J(x + sigma u) - J(x - sigma u)) u, up to a positive factor; 0 where J is not finite."""
        ahead, behind = (search.value(ball.project(x + side * self.sigma * noise)) for side in (1, -1))
        rise = (ahead - behind).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        return rise[:, None, None, None] * noise
