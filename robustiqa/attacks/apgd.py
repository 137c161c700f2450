"""Auto-PGD (Croce and Hein, ICML 2020, arXiv 2003.01690, algorithm 1), on a score.

The paper's losses (cross-entropy, DLR) speak of classes. For sign-gradient steps any strictly monotone loss of one
score gives the same iterates, so J itself is the loss; it cannot saturate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm, rows
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams

Climb = Callable[[Tensor], tuple[Tensor, Tensor]]

MOMENTUM: Final = 0.75
RHO: Final = 0.75  # share of steps between checkpoints that must have raised J
FIRST_PERIOD: Final = 0.22
PERIOD_STEP: Final = 0.03
SHORTEST_PERIOD: Final = 0.06


@dataclass(frozen=True)
class APGD(Attack):
    """Momentum steps whose size halves, per sample, where progress stalls. The first start is the image itself.

    ``norm`` is linf or l2. ``loss`` is J (``score``), or how near the image is to its reference in the model's features
    (``features``), for models that show them; J is measured beside it and decides which iterate is kept.
    """

    name: ClassVar[str] = "apgd"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Croce and Hein, ICML 2020, arXiv 2003.01690"

    steps: int = 100
    restarts: int = 1
    norm: Norm = "linf"
    loss: Literal["score", "features"] = "score"

    def __post_init__(self) -> None:
        at_least(self, steps=1, restarts=1)
        known_norm(self)
        if self.loss not in {"score", "features"}:
            raise InvalidInput(f"apgd: loss={self.loss!r} is not one of score, features.")

    @property
    def calls(self) -> Calls:
        climbs = self.restarts * self.steps
        return Calls(gradients=climbs) if self.loss == "score" else Calls(features=climbs)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        last, climb = x, search.value_and_grad if self.loss == "score" else search.nearness_and_grad
        for restart in range(self.restarts):
            if restart:
                search.settle(last)  # or the last iterate of all starts but one would never be scored
            start = x if restart == 0 else ball.random_point(random.with_restart(restart))
            last = _ascend(climb, start, ball, self.steps)
        return last


def checkpoints(steps: int) -> list[int]:
    """The steps after which step sizes are reconsidered: periods shrink from 22 % to 6 % of the budget."""
    points, period, at = [], FIRST_PERIOD, FIRST_PERIOD
    while at < 1:
        points.append(max(1, round(at * steps)))
        period = max(period - PERIOD_STEP, SHORTEST_PERIOD)
        at += period
    return sorted(set(points))


def _ascend(climb: Climb, start: Tensor, ball: Ball, steps: int) -> Tensor:
    """One run up ``climb``, which gives values and gradients; all state is per sample [N]."""
    x, previous = start, start
    j, gradient = climb(x)
    best = _Best(x, j, gradient)
    size = torch.full_like(j, 2 * ball.eps)
    progress = _Progress(j)
    points = set(checkpoints(steps))
    for step in range(1, steps + 1):
        z = ball.project(x + rows(size) * ball.steepest(gradient))
        push = MOMENTUM if step > 1 else 1.0
        x, previous = ball.project(x + push * (z - x) + (1 - push) * (x - previous)), x
        if step == steps:
            break  # the harness scores the last iterate; a gradient here would be thrown away
        new_j, gradient = climb(x)
        progress.note(new_j > j)
        j = new_j
        best.update(x, j, gradient)
        if step in points:
            stalled = progress.stalled(best.j, size)
            size = torch.where(stalled, size / 2, size)
            x, gradient = (torch.where(rows(stalled), a, b) for a, b in ((best.x, x), (best.gradient, gradient)))
            previous = torch.where(rows(stalled), x, previous)
            j = torch.where(stalled, best.j, j)
    return x


class _Best:
    """The best iterate of this run with its gradient, to restart from."""

    def __init__(self, x: Tensor, j: Tensor, gradient: Tensor) -> None:
        self.x, self.j, self.gradient = x, j.nan_to_num(nan=-torch.inf), gradient

    def update(self, x: Tensor, j: Tensor, gradient: Tensor) -> None:
        better = j > self.j
        self.j = torch.where(better, j, self.j)
        self.x, self.gradient = (
            torch.where(rows(better), a, b) for a, b in ((x, self.x), (gradient, self.gradient))
        )


class _Progress:
    """Conditions 1 and 2 of the paper, since the last checkpoint."""

    def __init__(self, j: Tensor) -> None:
        self._rises, self._steps = torch.zeros_like(j), 0
        self._best, self._halved = j.nan_to_num(nan=-torch.inf), torch.ones_like(j, dtype=torch.bool)

    def note(self, rose: Tensor) -> None:
        self._rises, self._steps = self._rises + rose, self._steps + 1

    def stalled(self, best: Tensor, size: Tensor) -> Tensor:
        """Which samples must halve ``size``; starts counting anew."""
        few = self._rises < RHO * self._steps
        stuck = ~self._halved & (best <= self._best)
        stalled = (few | stuck) & (size > 0)
        self._rises, self._steps = torch.zeros_like(self._rises), 0
        self._best, self._halved = best, stalled
        return stalled
