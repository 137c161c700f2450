"""Bootstrap of PLCC after a fitted map, and of KROCC."""

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.statistics._arrays import FloatArray, as_pair, require_length
from robustiqa.statistics.bootstrap import Bootstrapped, bootstrap
from robustiqa.statistics.correlation import MIN_SAMPLES, krocc, plcc, undefined_reason
from robustiqa.statistics.resamples import Resamples


def bootstrap_plcc(resamples: Resamples, human: ArrayLike, mapped: ArrayLike) -> Bootstrapped:
    """PLCC between human scores and ``mapped`` ones [n], with its replicates.

    The map is not fitted anew on each resample: the interval holds what the choice of images leaves open, not what the
    fit of a monotone curve with four parameters does. Undefined input (see ``correlation``) gives NaN everywhere.
    Raises InvalidInput when the lengths differ from those of the resamples.
    """
    y, x = as_pair(human, mapped, names=("human", "mapped"))
    require_length("human", y.size, resamples.size)
    if undefined_reason(y, x) is not None:
        return Bootstrapped(np.nan, np.full(resamples.replicates, np.nan), resamples)
    values = [_weighted_plcc(y - y.mean(), x - x.mean(), weights) for weights in resamples.weight_blocks()]
    return Bootstrapped(plcc(y, x), np.concatenate(values), resamples)


def bootstrap_krocc(resamples: Resamples, human: ArrayLike, scores: ArrayLike) -> Bootstrapped:
    """Kendall's tau-b between human and model scores [n], both quality-oriented, with its replicates.

    Raises InvalidInput when the lengths differ from those of the resamples.
    """
    y, x = as_pair(human, scores, names=("human", "scores"))
    require_length("human", y.size, resamples.size)
    return bootstrap(resamples, lambda index: krocc(y[index], x[index]))


def _weighted_plcc(y: FloatArray, x: FloatArray, weights: FloatArray) -> FloatArray:
    """PLCC of every resample [replicates, n of multiplicities]; NaN where a side is constant or samples are few."""
    total = weights.sum(axis=1)
    total[total < MIN_SAMPLES] = np.nan
    mean_y, mean_x = (weights @ y) / total, (weights @ x) / total
    covariance = (weights @ (y * x)) / total - mean_y * mean_x
    variance = ((weights @ y**2) / total - mean_y**2) * ((weights @ x**2) / total - mean_x**2)
    floor = 1e-14 * y.var() * x.var()  # a constant resample has a variance of rounding errors
    result: FloatArray = covariance / np.sqrt(np.where(variance > floor, variance, np.nan))
    return np.clip(result, -1.0, 1.0)
