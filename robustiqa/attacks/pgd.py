"""Projected Gradient Descent (Madry, Makelov, Schmidt, Tsipras and Vladu, ICLR 2018, arXiv 1706.06083)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm
from robustiqa.attacks.gradient_sign import ascend
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class PGD(Attack):
    """BIM from a uniformly random point of the ball, ``restarts`` times; the best of all is kept.

    ``norm`` is linf or l2; under l2 ``alpha`` is a root mean square.
    """

    name: ClassVar[str] = "pgd"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Madry et al., ICLR 2018, arXiv 1706.06083"

    steps: int = 10
    alpha: float = 2 / 255
    random_start: bool = True
    restarts: int = 1
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        at_least(self, steps=1, alpha=0, restarts=1)
        known_norm(self)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.restarts * self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        last = x
        for restart in range(self.restarts):
            if restart:
                search.settle(last)  # or the last iterate of all starts but one would never be scored
            start = ball.random_point(random.with_restart(restart)) if self.random_start else x
            last = ascend(search, start, ball, self.alpha, self.steps)
        return last
