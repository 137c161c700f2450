"""Spearman's correlation of many resamples at once.

A resample is a vector of multiplicities w. A value with ``below`` occurrences under it and ``upto`` up to it has the
midrank (below + upto + 1) / 2; both are cumulative sums of w over a sort that all resamples share, so no resample is
ever sorted. Twice a centred midrank is the whole number below + upto - N; the sums below are therefore exact in float64
up to N = 200,000, and a constant resample has a variance of exactly 0.

SROCC = D / sqrt(V V') with D = sum of w times both doubled centred midranks, V = (N^3 - sum of t^3) / 3 over runs of t.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from robustiqa.statistics._arrays import FloatArray, IntArray
from robustiqa.statistics.correlation import MIN_SAMPLES

Counts = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Sort of one variable of n samples: ``order`` sorts it, ``run`` is the run of ties at each sorted position.

    ``ends`` closes the runs; None where no two values are equal.
    """

    order: IntArray
    run: IntArray
    ends: IntArray | None

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        last = np.append(ordered[1:] != ordered[:-1], True)
        run = np.cumsum(last) - last
        return cls(order, run, None if last.all() else np.flatnonzero(last))

    def upto(self, weights: Counts) -> Counts:
        """Occurrences up to each run, [replicates, runs], for weights [replicates, n]."""
        upto = np.cumsum(np.take(weights, self.order, axis=1, mode="clip"), axis=1, dtype=np.int32)
        return upto if self.ends is None else np.take(upto, self.ends, axis=1, mode="clip")

    def ranks(self, upto: Counts) -> FloatArray:
        """Twice the midranks less 1 at the sorted positions, [replicates, n]."""
        doubled = upto.astype(np.float64)
        doubled[:, 1:] += upto[:, :-1]
        return doubled if self.ends is None else np.take(doubled, self.run, axis=1, mode="clip")


def weighted_sroccs(human: Ranking, scores: Sequence[Ranking], weights: FloatArray) -> FloatArray:
    """SROCC of every resample of weights [replicates, n] with every variable of ``scores``, [len(scores), replicates].

    NaN where undefined (constant side or fewer than 3 samples).
    """
    counts, total = weights.astype(np.int32), weights.sum(axis=1)
    upto = human.upto(counts)
    variance = _variance(total, upto)
    pull = np.empty_like(weights)  # w times the doubled centred midrank of the human score: sums to 0
    pull[:, human.order] = human.ranks(upto)
    pull -= total[:, None]
    pull *= weights
    own, untied = _dot(weights, pull), (total**3 - _dot(weights * weights, weights)) / 3
    result = np.full((len(scores), len(weights)), np.nan)
    for row, ranking in zip(result, scores, strict=True):
        upto, there = ranking.upto(counts), np.take(pull, ranking.order, axis=1, mode="clip")
        if ranking.ends is None:  # every run holds w of one sample: two sums are the same for all such rankings
            covariance, scale = 2 * _dot(upto.astype(np.float64), there) - own, np.sqrt(variance * untied)
        else:
            covariance, scale = _dot(ranking.ranks(upto), there), np.sqrt(variance * _variance(total, upto))
        defined = (scale > 0) & (total >= MIN_SAMPLES)
        row[defined] = np.clip(covariance[defined] / scale[defined], -1.0, 1.0)
    return result


def _variance(total: FloatArray, upto: Counts) -> FloatArray:
    ties = np.diff(upto, axis=1, prepend=0).astype(np.float64)
    return (total**3 - _dot(ties * ties, ties)) / 3


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    products: FloatArray = np.einsum("bi,bi->b", a, b)
    return products
