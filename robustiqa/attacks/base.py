"""The contract of an attack: a search that proposes images, and a final ``run`` that no author can get wrong."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from robustiqa.attacks.budget import Linf
from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import check_pair
from robustiqa.core.objective import Cost, Objective
from robustiqa.core.random import RandomStreams

Access = Literal["white-box", "black-box"]


@dataclass(frozen=True)
class AttackResult:
    """What an attack did to a batch of N pairs; scores are native, as the evaluated model reports them.

    Attributes:
        adversarial: best images found [N, 3, H, W], in the ball and in [0, 1].
        clean_score, attacked_score: before and after [N].
        attacked_score_8bit: of ``adversarial`` rounded to 8 bits, still within ε.
        last_score: of the search's last iterate, which may be worse than its best.
        best_iteration: which evaluated iterate was the best; 0 is the clean image.
        cost: model passes of the search, per sample.
        seconds: not kept here: time belongs to the run, not to the result.
    """

    adversarial: Tensor
    adversarial_8bit: Tensor
    clean_score: Tensor
    attacked_score: Tensor
    attacked_score_8bit: Tensor
    last_score: Tensor
    best_iteration: Tensor
    cost: Cost


class Search:
    """The objective as a search sees it: every candidate inside the ball is a contender for the result.

    It has the face of an objective (``value``, ``value_and_grad``), and keeps the best candidate per sample, so an
    attack returns its best iterate whether its author thought of it or not. Non-finite values never win.
    """

    def __init__(self, objective: Objective, ball: Linf, clean_j: Tensor) -> None:
        self.count = objective.count
        self.best = ball.center.clone()
        self.best_j = clean_j.clone()
        self.best_iteration = torch.zeros(self.count, dtype=torch.int64)
        self._seen = torch.zeros(self.count, dtype=torch.int64)
        self._objective = objective
        self._ball = ball

    def value(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M] of candidates ``x`` [M, 3, H, W] for samples ``index`` [M]."""
        j = self._objective.value(x, index)
        self._keep(x, j, index)
        return j

    def value_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient [M, 3, H, W]; a non-finite gradient entry is returned as 0."""
        j, gradient = self._objective.value_and_grad(x, index)
        self._keep(x, j, index)
        return j, torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)

    def _keep(self, x: Tensor, j: Tensor, index: Tensor) -> None:
        rows = index.cpu()
        self._seen.index_add_(0, rows, torch.ones_like(rows))
        better = self._ball.contains(x, index) & (j > self.best_j[index])
        for row in better.nonzero().flatten().tolist():
            sample = int(index[row])
            if j[row] > self.best_j[sample]:  # the same sample may stand in the batch twice
                self.best[sample], self.best_j[sample] = x[row].detach(), j[row]
                self.best_iteration[sample] = self._seen[sample]


@dataclass(frozen=True)
class Attack(ABC):
    """An attack moves the distorted image within a ball to maximise an objective.

    Authors write :meth:`_search` and nothing else. Subclasses are frozen dataclasses whose fields are the attack's
    parameters; ε and step sizes are in [0, 1] units.
    """

    name: ClassVar[str]
    access: ClassVar[Access]
    paper: ClassVar[str]

    @abstractmethod
    def _search(self, search: Search, x: Tensor, ball: Linf, random: RandomStreams) -> Tensor:
        """Look for images in ``ball`` that maximise ``search.value``; return the last iterate [N, 3, H, W].

        ``x`` is the clean distorted batch. The best evaluated iterate is kept by ``search``; steps must not depend
        on other samples of the batch, and random numbers come from ``random`` alone.
        """

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags that every number of this attack carries."""
        return ()

    @final
    def run(
        self,
        objective: Objective,
        dist: Tensor,
        eps: float,
        seed: int = 0,
        ids: Sequence[str] | None = None,
    ) -> AttackResult:
        """Attack ``dist`` [N, 3, H, W] in [0, 1] within L∞ radius ``eps``.

        Args:
            objective: what to maximise; holds the references in the order of ``dist``.
            dist: clean distorted images.
            eps: radius in [0, 1] units, in (0, 1].
            seed: run seed; with ``ids`` it determines every random number.
            ids: names of the samples' random streams; default "0", "1", ...

        Raises:
            InvalidInput: ε out of range, images out of [0, 1] or not of the references' shape, ids not N distinct.
        """
        check_pair(objective.ref, dist, objective.model.info.min_size)
        names = _ids(ids, objective.count)
        ball = Linf.around(dist, eps)
        everyone = torch.arange(objective.count, device=dist.device)
        with objective.as_harness():
            clean_j = objective.value(dist, everyone)
        search = Search(objective, ball, clean_j)
        last = self._search(search, dist, ball, RandomStreams(seed, self.name, names))
        return _judge(objective, search, ball, last, everyone)


def _judge(objective: Objective, search: Search, ball: Linf, last: Tensor, everyone: Tensor) -> AttackResult:
    """Score the search's results afresh, all in one batch, so that clean and attacked scores compare like with like."""
    last = ball.project(last)
    with objective.as_harness():
        last_j = objective.value(last, everyone)
        best_j = objective.value(search.best, everyone)
        clean_j = objective.value(ball.center, everyone)
    best = search.best
    last_wins = (last_j > best_j) & ball.contains(last, everyone)
    iterations = torch.where(last_wins.cpu(), search._seen, search.best_iteration)  # noqa: SLF001 (one unit)
    best = torch.where(_rows(last_wins), last, best)
    clean_wins = ~(torch.maximum(last_j.nan_to_num(-torch.inf), best_j) >= clean_j)
    best = torch.where(_rows(clean_wins), ball.center, best)
    best_8bit = ball.round_8bit(best)
    return AttackResult(
        adversarial=best,
        adversarial_8bit=best_8bit,
        clean_score=objective.native_scores(ball.center),
        attacked_score=objective.native_scores(best),
        attacked_score_8bit=objective.native_scores(best_8bit),
        last_score=objective.native_scores(last),
        best_iteration=torch.where(clean_wins.cpu(), 0, iterations),
        cost=objective.cost,
    )


def _rows(mask: Tensor) -> Tensor:
    return mask[:, None, None, None]


def _ids(ids: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(str(i) for i in range(count)) if ids is None else tuple(map(str, ids))
    if len(names) != count or len(set(names)) != count:
        raise InvalidInput(f"ids: {len(names)} names, {len(set(names))} distinct; wanted {count} distinct ones.")
    return names
