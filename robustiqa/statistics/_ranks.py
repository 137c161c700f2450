"""Spearman's correlation of many resamples at once.

A resample is a vector of multiplicities w. The midrank of a value that occurs t times, with c occurrences of
values not above it, is c - (t - 1) / 2; both are sums of w over a sort that all resamples share. Ranks are
half-integers, so the sums below are exact in float64 up to about 10^5 samples, and a constant resample has a
variance of exactly 0.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from robustiqa.statistics._arrays import FloatArray, IntArray
from robustiqa.statistics.correlation import MIN_SAMPLES


@dataclass(frozen=True, eq=False)
class Ranking:
    """Sort of one variable: ``order`` sorts it, ``starts`` opens runs of ties, ``level`` is its run."""

    order: IntArray
    starts: IntArray
    level: IntArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        _, level, counts = np.unique(values, return_inverse=True, return_counts=True)
        return cls(np.argsort(values, kind="stable"), np.cumsum(counts) - counts, level)

    def centred(self, weights: FloatArray) -> FloatArray:
        """Midranks minus their mean in every resample, for weights [replicates, n]."""
        ties = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        midranks = np.cumsum(ties, axis=1)
        mean = (midranks[:, -1:] + 1) / 2
        midranks -= (ties - 1) / 2 + mean
        return midranks[:, self.level]


def weighted_srocc(x: Ranking, y: Ranking, weights: FloatArray) -> FloatArray:
    """SROCC of every resample, [replicates]; NaN where undefined (constant side or fewer than 3 samples)."""
    rank_x, rank_y = x.centred(weights), y.centred(weights)
    weighted_x = weights * rank_x
    covariance = np.einsum("bi,bi->b", weighted_x, rank_y)
    variance_x = np.einsum("bi,bi->b", weighted_x, rank_x)
    variance_y = np.einsum("bi,bi->b", np.multiply(weights, rank_y, out=weighted_x), rank_y)
    scale = np.sqrt(variance_x * variance_y)
    defined = (scale > 0) & (weights.sum(axis=1) >= MIN_SAMPLES)
    result = np.full(len(weights), np.nan)
    result[defined] = np.clip(covariance[defined] / scale[defined], -1.0, 1.0)
    return result
