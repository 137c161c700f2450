"""The objective as a search sees it, and the judge of what it found."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustiqa.attacks.budget import Ball, rms
from robustiqa.attacks.curves import Curve, Snapshot
from robustiqa.attacks.limits import Limits, Meter
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import Score


@dataclass(frozen=True)
class Found:
    """The best of a search: images [N, 3, H, W] and, per sample, which evaluated iterate it was (0: the clean one)."""

    best: Tensor
    iteration: Tensor


class Search:
    """An objective of which every candidate inside the ball is a contender for the result.

    An attack returns its best iterate whether its author thought of it or not. Non-finite values never win. Where a
    sample has used up its limits its candidates are no longer computed: J is then -inf and the gradient 0.
    """

    def __init__(
        self, objective: Score, ball: Ball, clean_j: Tensor, limits: Limits | None = None,
        curve: Curve | None = None,
    ) -> None:  # fmt: skip
        self.count = objective.count
        self.everyone = torch.arange(self.count, device=ball.center.device)
        self._objective, self._ball, self._curve = objective, ball, curve
        self._meter = Meter(limits or Limits(), self.count)
        self._start = objective.cost.forwards.clone()
        self._goal: Tensor | None = None
        self.clean_j = clean_j.double().nan_to_num(nan=-torch.inf)
        self._best, self._best_j, self._merit = ball.center.clone(), self.clean_j.clone(), self.clean_j.clone()
        self._iteration, self._seen = (torch.zeros(self.count, dtype=torch.int64) for _ in range(2))

    @property
    def model(self) -> QualityModel:
        """The attacked model: attacks with something learned look for what was learned on it."""
        return self._objective.model

    @property
    def ref(self) -> Tensor:
        """References [N, 3, H, W], which an attacker of a full-reference score has."""
        return self._objective.ref

    @property
    def signs(self) -> Tensor:
        """+1 [N] where a sample's quality is to be raised, -1 where it is to be lowered."""
        return self._objective.signs

    @property
    def exposes_features(self) -> bool:
        """Whether :meth:`nearness_and_grad` can be asked."""
        return self._objective.exposes_features

    def value(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """J [M] of candidates ``x`` [M, 3, H, W] for samples ``index`` [M] (default: the whole batch)."""
        index = self.everyone if index is None else index
        rows = self._admitted(index, self._objective.passes)
        if rows is None:
            return self._keep(x, self._objective.value(x, index), index)
        j = x.new_full((len(x),), -torch.inf)
        j[rows] = self._keep(x[rows], self._objective.value(x[rows], index[rows]), index[rows])
        return j

    def value_and_grad(self, x: Tensor, index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient [M, 3, H, W]; a non-finite entry of the gradient is returned as 0."""
        index = self.everyone if index is None else index
        rows = self._admitted(index, self._objective.passes)
        j, gradient = x.new_full((len(x),), -torch.inf), torch.zeros_like(x)
        if rows is None:
            j, gradient = self._objective.value_and_grad(x, index)
            self._keep(x, j, index)
        else:
            j[rows], gradient[rows] = self._objective.value_and_grad(x[rows], index[rows])
            self._keep(x[rows], j[rows], index[rows])
        return j, torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)

    def nearness_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """How near the whole batch is to its references in feature space [N], and the gradient; J is measured too.

        Raises:
            InvalidInput: the model shows no features.
        """
        nearness, gradient = x.new_full((self.count,), -torch.inf), torch.zeros_like(x)
        rows = self._admitted(self.everyone, 1 + self._objective.passes)
        index = self.everyone if rows is None else self.everyone[rows]
        nearness[index], gradient[index] = self._objective.nearness_and_grad(x[index], index)
        self._keep(x[index], self._objective.value(x[index], index), index)
        return nearness, torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)

    def aim(self, goal: Tensor) -> None:
        """From now on the smallest change wins among images whose J reaches ``goal`` [N]; the highest J below it."""
        self._goal = goal.double()
        self._merit = self._worth(self._best, self._best_j, self.everyone)

    def settle(self, last: Tensor) -> Tensor:
        """Make a search's last iterate [N, 3, H, W] a contender, at the harness's cost, and return it.

        A sample that was cut short has no last iterate of its own: its best stands in.
        """
        cut = self.cut.to(last.device)
        last = torch.where(cut[:, None, None, None], self._best, last)
        j = self.peek(last, self.everyone)
        self._keep(last, j, self.everyone)
        return last

    def peek(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M] of images that are no contenders, such as those a scale is measured on; the harness pays."""
        with self._objective.as_harness(exact=False):
            return self._objective.value(x, index)

    def note_saturated(self, index: Tensor) -> None:
        """Count a gradient of samples ``index`` [M] that the objective had and a library's loss lost."""
        self._objective.note_saturated(index)

    @property
    def found(self) -> Found:
        """The best candidate of each sample so far."""
        return Found(self._best, self._iteration)

    @property
    def best_j(self) -> Tensor:
        """J [N] of the best candidates so far, float64; -inf where not even the clean image had a finite one."""
        return self._best_j.clone()

    @property
    def cut(self) -> Tensor:
        """Which samples [N] asked for more than their limits."""
        return self._meter.cut

    def snapshots(self) -> list[Snapshot]:
        """What this search says of smaller budgets."""
        return [] if self._curve is None else self._curve.snapshots()

    def _admitted(self, index: Tensor, passes: int) -> Tensor | None:
        """Rows of a call that may be computed; None for all of them."""
        admitted = self._meter.admit(index, passes)
        return None if bool(admitted.all()) else admitted.nonzero().flatten().to(index.device)

    def _worth(self, x: Tensor, j: Tensor, index: Tensor) -> Tensor:
        """What candidates compete in [M]: J, or, where it reaches the goal, the goal and how little was changed."""
        if self._goal is None:
            return j.double()
        goal = self._goal[index]
        return torch.where(j.double() >= goal, goal + 1 - rms(x, self._ball.center[index]), j.double())

    def _keep(self, x: Tensor, j: Tensor, index: Tensor) -> Tensor:
        rows = index.cpu()
        self._seen.index_add_(0, rows, torch.ones_like(rows))
        spent = self._objective.cost.forwards - self._start
        if self._curve is not None:
            self._curve.before(spent, self._best)
        valid = self._ball.contains(x, index) & j.isfinite()
        worth = self._worth(x, j, index)
        for row in (valid & (worth > self._merit[index])).nonzero().flatten().tolist():
            sample = int(index[row])
            if worth[row] > self._merit[sample]:  # a sample may stand in the batch twice
                self._best[sample], self._best_j[sample], self._merit[sample] = x[row].detach(), j[row], worth[row]
                self._iteration[sample] = self._seen[sample]
        if self._curve is not None:
            self._curve.candidates(x[valid], j[valid], index[valid])
            self._curve.after(spent, self._best)
        return j
