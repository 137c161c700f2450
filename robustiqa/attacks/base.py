"""The contract of an attack: a search that proposes images, and a final ``run`` that no author can get wrong."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from robustiqa.attacks.budget import BALLS, Ball, Norm
from robustiqa.attacks.curves import Curve, QueryCurve, Snapshot
from robustiqa.attacks.limits import Exhausted, Limits
from robustiqa.attacks.search import Search
from robustiqa.core.draws import sample_seeds
from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import check_pair
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import Cost, Score
from robustiqa.core.random import RandomStreams

Access = Literal["white-box", "black-box"]


@dataclass(frozen=True)
class CurvePoint:
    """Scores [N] at a smaller budget ``at``: queries of a black-box attack, or the root mean square change of another.

    NaN for a sample whose search ended before that budget.
    """

    at: float
    score: Tensor


@dataclass(frozen=True)
class Calls:
    """What a search asks of a sample, at most: values of J, values with gradients, gradients in feature space."""

    values: int = 0
    gradients: int = 0
    features: int = 0

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(self.values + other.values, self.gradients + other.gradients, self.features + other.features)


@dataclass(frozen=True)
class Learned:
    """What an attack learned before: the sha256 of it, and ids of the references that it was learned on."""

    sha256: str
    references: frozenset[str]


@dataclass(frozen=True)
class AttackResult:
    """What an attack did to a batch of N pairs; scores are native, as the evaluated model reports them.

    Attributes:
        adversarial: best images found [N, 3, H, W], in the ball and in [0, 1].
        adversarial_8bit: the same on the 8-bit grid, still within ε where the grid allows it.
        clean_score, attacked_score, attacked_score_8bit: of the images before and after, and of the rounded ones [N].
        attacked_spread: standard deviation of the attacked score over a randomised model's draws, else 0.
        last_score: of the search's last iterate, which may be worse than its best.
        best_iteration: which evaluated iterate was the best; 0 is the clean image.
        cost: model passes of this run's search, per sample.
        cut: which samples [N] a limit stopped before the search was through.
        curve: what the same search gives at smaller budgets; empty for attacks that have no such curve.
    """

    adversarial: Tensor
    adversarial_8bit: Tensor
    clean_score: Tensor
    attacked_score: Tensor
    attacked_score_8bit: Tensor
    attacked_spread: Tensor
    last_score: Tensor
    best_iteration: Tensor
    cost: Cost
    cut: Tensor
    curve: tuple[CurvePoint, ...] = ()


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
    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        """Look for images in ``ball`` that maximise ``search.value``; return the last iterate [N, 3, H, W].

        ``x`` is the clean distorted batch. The best evaluated iterate is kept by ``search``; steps must not depend
        on other samples of the batch, and random numbers come from ``random`` alone.
        """

    @property
    def norm(self) -> Norm:
        """Of the ball; attacks with a choice have a parameter of this name."""
        return "linf"

    def _ball(self, center: Tensor, eps: float) -> Ball:
        """Where the attack may go."""
        return BALLS[self.norm].around(center, eps)

    def _curve(self, ball: Ball, clean_j: Tensor) -> Curve | None:  # noqa: ARG002
        """What the search tells of smaller budgets: the query curve, where only queries are made."""
        return QueryCurve(ball) if self.access == "black-box" else None

    def learned(self, model: QualityModel, sign: int) -> Learned | None:  # noqa: ARG002
        """What this attack has learned for ``model`` and direction ``sign`` (+1 up, -1 down), if it needs to.

        Raises:
            InvalidInput: it needs to and has not (with the command).
        """
        return None

    @property
    def calls(self) -> Calls | None:
        """What a search asks of a sample; None where that cannot be told beforehand."""
        return None

    @final
    def propose(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        """Run this attack on a given ``search``, as an ensemble runs its members; its last iterate, in the ball.

        The last iterate is scored here, so that a member counts for as much in an ensemble as it does alone.
        """
        try:
            last = ball.project(self._search(search, x.clone(), ball, random))  # an author may write into x
        except Exhausted:
            last = search.found.best.clone()
        return search.settle(last)

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags that every number of this attack carries."""
        return ()

    @final
    def run(
        self,
        objective: Score,
        dist: Tensor,
        eps: float,
        seed: int = 0,
        ids: Sequence[str] | None = None,
        limits: Limits | None = None,
    ) -> AttackResult:
        """Attack ``dist`` [N, 3, H, W] in [0, 1] within radius ``eps`` of the attack's norm.

        Args:
            objective: what to maximise; holds the references in the order of ``dist``.
            dist: clean distorted images.
            eps: radius in [0, 1] units, in (0, 1].
            seed: run seed; with ``ids`` it determines every random number.
            ids: names of the samples' random streams; default "0", "1", ...
            limits: where to stop early; what was best by then is returned.

        Raises:
            InvalidInput: ε out of range, images out of [0, 1] or not of the references' shape, ids not N distinct.
        """
        check_pair(objective.ref, dist, objective.model.info.min_size)
        names = _ids(ids, objective.count)
        ball = self._ball(dist, eps)
        everyone = torch.arange(objective.count, device=dist.device)
        objective.seed_draws(sample_seeds(seed, names))
        start = objective.cost.copy()
        with objective.as_harness(exact=False):  # as the search will see its candidates, which compete with it
            clean_j = objective.value(dist, everyone)
        search = Search(objective, ball, clean_j, limits, self._curve(ball, clean_j))
        last = self.propose(search, dist, ball, RandomStreams(seed, self.name, names))
        with objective.as_harness():
            return _judge(objective, search, ball, last, objective.cost.since(start))


def _judge(objective: Score, search: Search, ball: Ball, last: Tensor, cost: Cost) -> AttackResult:
    """Score the results afresh, each in the whole batch, so that clean and attacked scores compare like with like."""
    everyone = search.everyone
    clean_j, last_j = objective.value(ball.center, everyone), objective.value(last, everyone)
    found = search.found
    best_j = objective.value(found.best, everyone)
    # a value from another batch may differ in its last bits; what is promised must hold for the scores reported
    lost = ~(best_j >= clean_j)
    best = torch.where(lost[:, None, None, None], ball.center, found.best)
    best_j = torch.where(lost, clean_j, best_j)
    rounded = ball.round_8bit(best)
    return AttackResult(
        adversarial=best,
        adversarial_8bit=rounded,
        clean_score=objective.evaluated(ball.center, clean_j),
        attacked_score=objective.evaluated(best, best_j),
        attacked_score_8bit=objective.evaluated(rounded, objective.value(rounded, everyone)),
        attacked_spread=objective.spread(best),
        last_score=objective.evaluated(last, last_j),
        best_iteration=torch.where(lost.cpu(), 0, found.iteration),
        cost=cost,
        cut=search.cut,
        curve=tuple(_point(objective, snapshot, everyone) for snapshot in search.snapshots()),
    )


def _point(objective: Score, snapshot: Snapshot, everyone: Tensor) -> CurvePoint:
    score = objective.evaluated(snapshot.images, objective.value(snapshot.images, everyone))
    return CurvePoint(snapshot.at, torch.where(snapshot.reached.to(score.device), score, torch.nan))


def _ids(ids: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(str(i) for i in range(count)) if ids is None else tuple(map(str, ids))
    if len(names) != count or len(set(names)) != count:
        raise InvalidInput(f"ids: {len(names)} names, {len(set(names))} distinct; wanted {count} distinct ones.")
    return names


def known_norm(attack: Attack) -> None:
    """Check the ``norm`` of an attack.

    Raises:
        InvalidInput: neither ``linf`` nor ``l2``.
    """
    if attack.norm not in BALLS:
        raise InvalidInput(f"{attack.name}: norm={attack.norm!r} is not one of {', '.join(BALLS)}.")


def at_least(attack: Attack, **minima: float) -> None:
    """Check parameters of an attack: whole numbers at least their minimum, real ones above it.

    Raises:
        InvalidInput: names the parameter, its value and the bound.
    """
    for name, minimum in minima.items():
        check_bound(attack, name, minimum, whole=isinstance(getattr(type(attack), name), int))  # as its default is


def check_bound(attack: Attack, name: str, minimum: float, *, whole: bool) -> None:
    """Check one parameter of an attack, as :func:`at_least` does."""
    value = getattr(attack, name)
    if not (isinstance(value, int) and value >= minimum if whole else value > minimum):
        bound = f"a whole number, at least {minimum}" if whole else f"above {minimum}"
        raise InvalidInput(f"{attack.name}: {name}={value!r} must be {bound}.")
