"""What one search says of smaller budgets: its best after fewer queries, or within smaller changes."""

from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

from robustiqa.attacks.budget import Ball, rms

MILESTONES: Final = (100, 300, 1_000, 3_000, 10_000)  # queries
SHARES: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)  # of ε


@dataclass(frozen=True)
class Snapshot:
    """The best images [N, 3, H, W] of a search at a smaller budget ``at``, and for which samples it was ``reached``."""

    at: float
    images: Tensor
    reached: Tensor


class Curve(Protocol):
    """Watches a search."""

    def before(self, spent: Tensor, best: Tensor) -> None:
        """A call is about to be judged: ``spent`` [N] forward passes with it, ``best`` [N, ...] without it."""

    def after(self, spent: Tensor, best: Tensor) -> None:
        """A call was judged: both with it."""

    def candidates(self, x: Tensor, j: Tensor, index: Tensor) -> None:
        """Images [M, ...] of the ball for samples ``index``, with their finite J."""

    def snapshots(self) -> list[Snapshot]:
        """One for each smaller budget."""


class QueryCurve:
    """The best after at most 100, 300, 1,000, 3,000 and 10,000 queries of a sample."""

    def __init__(self, ball: Ball) -> None:
        count = len(ball.center)
        self._taken = {at: torch.zeros(count, dtype=torch.bool) for at in MILESTONES}
        self._center = ball.center
        self._images: dict[int, Tensor] = {}

    def before(self, spent: Tensor, best: Tensor) -> None:
        for at in MILESTONES:
            self._take(at, spent > at, best)

    def after(self, spent: Tensor, best: Tensor) -> None:
        for at in MILESTONES:
            self._take(at, spent == at, best)

    def candidates(self, x: Tensor, j: Tensor, index: Tensor) -> None:
        """Nothing: images count when they become the best."""

    def snapshots(self) -> list[Snapshot]:
        return [Snapshot(at, self._images[at], self._taken[at]) for at in MILESTONES if at in self._images]

    def _take(self, at: int, due: Tensor, best: Tensor) -> None:
        new = due & ~self._taken[at]
        if bool(new.any()):
            images = self._images.setdefault(at, self._center.clone())
            images[new.to(best.device)] = best[new.to(best.device)]
            self._taken[at] |= new


class ChangeCurve:
    """The best whose root mean square change is at most a 16th, 8th, quarter, half of ε, and ε."""

    def __init__(self, ball: Ball, clean_j: Tensor) -> None:
        self._center, self._eps = ball.center, ball.eps
        self._images = [ball.center.clone() for _ in SHARES]
        self._best = [clean_j.nan_to_num(nan=-torch.inf) for _ in SHARES]

    def before(self, spent: Tensor, best: Tensor) -> None:
        """Nothing: every candidate counts, the best or not."""

    def after(self, spent: Tensor, best: Tensor) -> None:
        """Nothing, likewise."""

    def candidates(self, x: Tensor, j: Tensor, index: Tensor) -> None:
        sizes = rms(x, self._center[index])
        for images, best, share in zip(self._images, self._best, SHARES, strict=True):
            for row in ((sizes <= share * self._eps) & (j > best[index])).nonzero().flatten().tolist():
                sample = int(index[row])
                if j[row] > best[sample]:  # a sample may stand in the call twice
                    images[sample], best[sample] = x[row], j[row]

    def snapshots(self) -> list[Snapshot]:
        everyone = torch.ones(len(self._center), dtype=torch.bool)
        pairs = zip(SHARES, self._images, strict=True)
        return [Snapshot(share * self._eps, images, everyone) for share, images in pairs]
