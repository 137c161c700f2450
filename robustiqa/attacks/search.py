"""The objective as a search sees it, and the judge of what it found."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustiqa.attacks.budget import Linf
from robustiqa.core.objective import Score


@dataclass(frozen=True)
class Found:
    """The best of a search: images [N, 3, H, W] and, per sample, which evaluated iterate it was (0: the clean one)."""

    best: Tensor
    iteration: Tensor


class Search:
    """An objective of which every candidate inside the ball is a contender for the result.

    An attack returns its best iterate whether its author thought of it or not. Non-finite values never win.
    """

    def __init__(self, objective: Score, ball: Linf, clean_j: Tensor) -> None:
        self.count = objective.count
        self.everyone = torch.arange(self.count, device=ball.center.device)
        self._objective, self._ball = objective, ball
        self._best, self._best_j = ball.center.clone(), clean_j.nan_to_num(nan=-torch.inf)
        self._iteration, self._seen = (torch.zeros(self.count, dtype=torch.int64) for _ in range(2))

    def value(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """J [M] of candidates ``x`` [M, 3, H, W] for samples ``index`` [M] (default: the whole batch)."""
        index = self.everyone if index is None else index
        j = self._objective.value(x, index)
        self._keep(x, j, index)
        return j

    def value_and_grad(self, x: Tensor, index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient [M, 3, H, W]; a non-finite entry of the gradient is returned as 0."""
        index = self.everyone if index is None else index
        j, gradient = self._objective.value_and_grad(x, index)
        self._keep(x, j, index)
        return j, torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)

    def settle(self, last: Tensor) -> Tensor:
        """J [N] of a search's last iterate [N, 3, H, W], which becomes a contender; the harness pays for the pass."""
        j = self.peek(last, self.everyone)
        self._keep(last, j, self.everyone)
        return j

    def peek(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M] of images that are no contenders, such as those a scale is measured on; the harness pays."""
        with self._objective.as_harness():
            return self._objective.value(x, index)

    def note_saturated(self, index: Tensor) -> None:
        """Count a gradient of samples ``index`` [M] that the objective had and a library's loss lost."""
        self._objective.note_saturated(index)

    @property
    def found(self) -> Found:
        """The best candidate of each sample so far."""
        return Found(self._best, self._iteration)

    def _keep(self, x: Tensor, j: Tensor, index: Tensor) -> None:
        rows = index.cpu()
        self._seen.index_add_(0, rows, torch.ones_like(rows))
        better = self._ball.contains(x, index) & (j > self._best_j[index]) & j.isfinite()
        for row in better.nonzero().flatten().tolist():
            sample = int(index[row])
            if j[row] > self._best_j[sample]:  # a sample may stand in the batch twice
                self._best[sample], self._best_j[sample] = x[row].detach(), j[row]
                self._iteration[sample] = self._seen[sample]
