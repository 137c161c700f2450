"""Carlini and Wagner's attack as they wrote it (IEEE S&P 2017, arXiv 1608.04644): the least change to a goal.

Their goal is another class. A score has none, so the goal is a rise of J: ``tau`` in the score's own units, or a share
of what ten steps of BIM reach in the same ball. The attack stays in that ball, the largest asked about; what the
search saw at smaller changes is its curve.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.adam import STABILITY, Adam
from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball, rows
from robustiqa.attacks.curves import ChangeCurve, Curve
from robustiqa.attacks.cw import Box
from robustiqa.attacks.gradient_sign import ascend
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams

PROBE_STEPS: Final = 10
FARTHER: Final = 10.0  # the factor of c while no c has reached the goal


@dataclass(frozen=True)
class CWMin(Attack):
    """Adam on ||d||^2 + c max(goal - J, 0) in the box of the ball, with a binary search on c per sample.

    The result is the smallest change, in L2, that reached the goal; where none did, the highest J.
    """

    name: ClassVar[str] = "cw-min"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Carlini and Wagner, IEEE S&P 2017, arXiv 1608.04644"

    searches: int = 6
    steps: int = 50
    lr: float = 0.1
    share: float = 0.5
    tau: float | None = None

    def __post_init__(self) -> None:
        at_least(self, searches=1, steps=1, lr=0, share=0)
        if self.tau is not None and not 0 < self.tau < float("inf"):
            raise InvalidInput(f"cw-min: tau={self.tau!r} must be above 0 and finite, or none.")

    def _curve(self, ball: Ball, clean_j: Tensor) -> Curve:
        return ChangeCurve(ball, clean_j)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=PROBE_STEPS + self.searches * self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        last = search.settle(ascend(search, x, ball, ball.eps / 4, PROBE_STEPS))
        rise = (search.best_j - search.clean_j).nan_to_num(nan=0.0)
        goal = search.clean_j + (self.share * rise if self.tau is None else self.tau)
        search.aim(goal)
        # the c at which a change as large as the probe's costs as much as half of its rise brings
        c = (last - x).double().square().flatten(1).sum(1) / (goal - search.clean_j).clamp_min(1e-12)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.searches):
            last, reached = self._minimise(search, x, Box(ball), goal, c)
            low, high = torch.where(reached, low, c), torch.where(reached, c, high)
            c = torch.where(high.isinf(), c * FARTHER, (low + high) / 2)
        return last

    def _minimise(
        self, search: Search, x: Tensor, box: Box, goal: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The last image for this c, and which samples [N] met their goal on the way."""
        w, reached = box.logit(x), torch.zeros_like(goal, dtype=torch.bool)
        adam = Adam(w)
        for _ in range(self.steps):
            image = box.image(w)
            j, gradient = search.value_and_grad(image)
            met = j.double() >= goal
            reached |= met
            pull = rows(torch.where(met, 0.0, c)).to(x.dtype)
            slope = box.slope(pull * gradient - 2 * (image - x), w)
            w = w + self.lr * adam.direction(slope, STABILITY * box.width)
        return box.image(w), reached
