"""Bias-corrected and accelerated bootstrap intervals (Efron, JASA 1987), for statistics whose replicates are skewed.

The units left out by the jackknife are those that the bootstrap draws: references, or single samples.
"""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from robustiqa.statistics._arrays import FloatArray, as_pair, as_vector, require_length
from robustiqa.statistics._ranks import Ranking, weighted_sroccs
from robustiqa.statistics.bootstrap import PERCENTILES, Bootstrapped, Interval
from robustiqa.statistics.correlation import undefined_reason
from robustiqa.statistics.resamples import Resamples

BCA_UNDEFINED: Final = "bca-undefined"


def bca_interval(boot: Bootstrapped, jackknife: ArrayLike) -> Interval:
    """The 95 % BCa interval of ``boot``; the percentile one, flagged "bca-undefined", where BCa does not exist.

    Args:
        jackknife: the statistic without each unit in turn [units] (``jackknife_srocc``); of a difference, the
            difference.
    """
    plain = boot.interval()
    left_out = as_vector("jackknife", jackknife)
    used = boot.values[np.isfinite(boot.values)]
    shares = _shares(boot.estimate, used, left_out) if np.isfinite(left_out).all() and used.size else None
    if shares is None or not np.isfinite(shares).all():
        return dataclasses.replace(plain, flags=(*plain.flags, BCA_UNDEFINED))
    lo, hi = np.quantile(used, shares, method="linear")
    return dataclasses.replace(plain, lo=float(lo), hi=float(hi))


def jackknife_srocc(resamples: Resamples, human: ArrayLike, scores: ArrayLike) -> FloatArray:
    """SROCC without each unit of the resamples in turn [units]; NaN where undefined.

    Raises InvalidInput when the lengths differ from those of the resamples.
    """
    human, scores = as_pair(human, scores, names=("human", "scores"))
    require_length("human", human.size, resamples.size)
    if undefined_reason(human, scores) is not None:
        return np.full(np.unique(resamples.unit_of).size, math.nan)
    rankings = Ranking.of(human), Ranking.of(scores)
    blocks = resamples.leave_one_out_blocks()
    return np.concatenate([weighted_sroccs(rankings[0], [rankings[1]], weights)[0] for weights in blocks])


def _shares(estimate: float, values: FloatArray, left_out: FloatArray) -> FloatArray | None:
    """Which quantiles of the replicates bound the interval; None without variation."""
    below = (np.count_nonzero(values < estimate) + np.count_nonzero(values <= estimate)) / (2 * values.size)
    bias = ndtri(below)
    pull = left_out.mean() - left_out
    spread = float((pull**2).sum())
    if spread == 0:
        return None
    acceleration = float((pull**3).sum()) / (6 * spread**1.5)
    z = bias + ndtri(np.array(PERCENTILES) / 100)
    shares: FloatArray = ndtr(bias + z / (1 - acceleration * z))
    return shares
