"""Paired bootstrap of SROCC, of means and of any other statistic, with 95 % percentile intervals.

Every function takes a ``Resamples``: rows bootstrapped on the same one are paired, and ``paired_difference``
compares them. "Above" means that the paired interval of the difference excludes 0; fewer than 20 references
allow no such claim. Percentile interval: Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993,
chapter 13.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, IntArray, as_pair, as_vector, require_length
from robustiqa.statistics._ranks import Ranking, weighted_sroccs
from robustiqa.statistics.correlation import srocc, undefined_reason
from robustiqa.statistics.resamples import Resamples

Verdict: TypeAlias = Literal["above", "below", "not separable"]

FEW_CLUSTERS: Final = "few-clusters"
DEGENERATE_REPLICATES: Final = "degenerate-replicates"
UNDEFINED: Final = "undefined"

PERCENTILES: Final = (2.5, 97.5)
# With more dropped replicates than one tail holds, an end of the interval would rest on none of the draws.
_MAX_DROPPED_SHARE: Final = 0.025


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % percentile bootstrap interval.

    Attributes:
        estimate: the statistic of the samples themselves; NaN where undefined.
        lo: 2.5th percentile (linear) of the replicates used; NaN with the flag "undefined".
        hi: 97.5th percentile, likewise.
        replicates: replicates drawn.
        replicates_used: replicates on which the statistic is defined; the others were dropped.
        flags: "few-clusters" (fewer than 20 references: print the i.i.d. interval too),
            "degenerate-replicates" (some were dropped), "undefined" (no estimate or no replicate: print "—").
        median: 50th percentile of the replicates used, the effect size of the BiRQA paper's Appendix C.5; NaN likewise.
    """

    estimate: float
    lo: float
    hi: float
    replicates: int
    replicates_used: int
    flags: tuple[str, ...] = ()
    median: float = math.nan

    @property
    def claimable(self) -> bool:
        """Whether significance may be claimed: defined, 20 references or more, at most 2.5 % dropped."""
        dropped = self.replicates - self.replicates_used
        unsound = FEW_CLUSTERS in self.flags or UNDEFINED in self.flags
        return not unsound and dropped <= _MAX_DROPPED_SHARE * self.replicates

    @property
    def verdict(self) -> Verdict:
        """Of a difference: "above" or "below" where the interval excludes 0 and a claim is allowed."""
        if self.claimable and self.lo > 0:
            return "above"
        if self.claimable and self.hi < 0:
            return "below"
        return "not separable"


@dataclass(frozen=True, eq=False)
class Bootstrapped:
    """A statistic on the samples (``estimate``) and on every resample (``values``, NaN where undefined)."""

    estimate: float
    values: FloatArray
    resamples: Resamples

    def interval(self) -> Interval:
        """The 95 % percentile interval of this statistic."""
        return interval(self.estimate, self.values, few_clusters=self.resamples.few_clusters)

    def __sub__(self, other: "Bootstrapped") -> "Bootstrapped":
        """The paired difference; a replicate that is undefined on either side is NaN.

        Raises:
            InvalidInput: the two were not bootstrapped on the same resamples of the same samples.
        """
        if not self.resamples.matches(other.resamples):
            raise InvalidInput(
                "a paired difference needs both statistics on the same resamples; "
                "draw them once, restrict them to the samples that both have, and use them for both"
            )
        return Bootstrapped(self.estimate - other.estimate, self.values - other.values, self.resamples)


def interval(estimate: float, values: ArrayLike, *, few_clusters: bool) -> Interval:
    """95 % percentile interval of replicate values; NaN replicates are dropped and counted.

    Args:
        estimate: the statistic of the samples themselves.
        values: the statistic of every resample, [replicates].
        few_clusters: whether the samples have too few references (``Resamples.few_clusters``).

    Raises:
        InvalidInput: ``values`` is not a 1-D array of at least one number.
    """
    lower, upper = PERCENTILES
    replicates = as_vector("values", values)
    if replicates.size == 0:
        raise InvalidInput("values holds no replicate; draw at least one")
    used = replicates[np.isfinite(replicates)]
    defined = math.isfinite(estimate) and used.size > 0
    lo, median, hi = _percentiles(used, (lower, 50.0, upper)) if defined else (math.nan,) * 3
    raised = {
        FEW_CLUSTERS: few_clusters,
        DEGENERATE_REPLICATES: defined and used.size < replicates.size,
        UNDEFINED: not defined,
    }
    flags = tuple(flag for flag, is_raised in raised.items() if is_raised)
    return Interval(estimate, float(lo), float(hi), replicates.size, used.size, flags, float(median))


def _percentiles(values: FloatArray, at: Sequence[float]) -> list[float]:
    """``np.percentile(values, at, method="linear")``, whose overhead is most of a report of many cells."""
    ordered = np.sort(values)
    places = [(len(values) - 1) * (share / 100) for share in at]
    return [_between(ordered[int(place)], ordered[math.ceil(place)], place % 1) for place in places]


def _between(low: float, high: float, part: float) -> float:
    """``low`` + ``part`` (``high`` - ``low``), from the nearer end, as numpy rounds it."""
    return float(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))


def bootstrap_srocc(resamples: Resamples, human: ArrayLike, scores: ArrayLike) -> Bootstrapped:
    """SROCC between human and model scores [n], both quality-oriented, with its replicates.

    Undefined input (see ``correlation``) gives NaN everywhere, and the flag "undefined" on the interval.
    Raises InvalidInput when the lengths differ from those of the resamples.
    """
    return bootstrap_sroccs(resamples, human, [scores])[0]


def bootstrap_sroccs(resamples: Resamples, human: ArrayLike, scores: Sequence[ArrayLike]) -> list[Bootstrapped]:
    """``bootstrap_srocc`` of several models on the same samples: what concerns the human scores is computed once.

    Args:
        human: human scores [n], quality-oriented.
        scores: of each model, [n], quality-oriented.

    Raises:
        InvalidInput: lengths differ from those of the resamples.
    """
    pairs = [as_pair(human, own, names=("human", "scores")) for own in scores]
    results = [_undefined(resamples) for _ in pairs]
    for values, _ in pairs:
        require_length("human", values.size, resamples.size)
    defined = [i for i, pair in enumerate(pairs) if undefined_reason(*pair) is None]
    if defined:
        truth, rankings = Ranking.of(pairs[defined[0]][0]), [Ranking.of(pairs[i][1]) for i in defined]
        blocks = [weighted_sroccs(truth, rankings, weights) for weights in resamples.weight_blocks()]
        for i, values in zip(defined, np.concatenate(blocks, axis=1), strict=True):
            results[i] = Bootstrapped(srocc(*pairs[i]), values, resamples)
    return results


def bootstrap_mean(resamples: Resamples, values: ArrayLike) -> Bootstrapped:
    """Mean of per-sample values [n], such as gains, with its replicates.

    A non-finite value makes the mean undefined (NaN, flag "undefined"): restrict the resamples to the valid
    samples and count the others.
    Raises InvalidInput when the length differs from that of the resamples.
    """
    values = as_vector("values", values)
    require_length("values", values.size, resamples.size)
    if not np.isfinite(values).all():
        return _undefined(resamples)
    means = [_weighted_mean(weights, values) for weights in resamples.weight_blocks()]
    return Bootstrapped(float(values.mean()), np.concatenate(means), resamples)


def bootstrap(resamples: Resamples, statistic: Callable[[IntArray], float]) -> Bootstrapped:
    """Any statistic of sample indices, such as KROCC or PLCC, one resample at a time.

    Args:
        resamples: the resamples of the table.
        statistic: maps sample indices to a number, NaN where it is undefined.
    """
    estimate = float(statistic(np.arange(resamples.size)))
    values = [statistic(resamples.indices(replicate)) for replicate in range(resamples.replicates)]
    return Bootstrapped(estimate, np.asarray(values, dtype=np.float64), resamples)


def paired_difference(first: Bootstrapped, second: Bootstrapped) -> Interval:
    """Interval of ``first`` minus ``second``; its ``verdict`` says whether ``first`` is above.

    A replicate that is undefined on either side is dropped.
    Raises InvalidInput when the two were not bootstrapped on the same resamples of the same samples.
    """
    return (first - second).interval()


def _weighted_mean(weights: FloatArray, values: FloatArray) -> FloatArray:
    total = weights.sum(axis=1)
    # A restricted cluster resample can be empty.
    total[total == 0] = np.nan
    means: FloatArray = (weights @ values) / total
    return means


def _undefined(resamples: Resamples) -> Bootstrapped:
    return Bootstrapped(math.nan, np.full(resamples.replicates, np.nan), resamples)
