"""Robustness scores of the literature on clean and attacked scores: the R-score, and distances of their distributions.

All scores are quality-oriented. None of the R-scores knows the direction of the attack; the distances carry the sign
of the mean change.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, as_pair, require_finite

MSU_FLOOR: Final = 1e-6


def r_score(clean: ArrayLike, attacked: ArrayLike, bounds: tuple[float, float]) -> FloatArray:
    """log10 of the largest possible over the actual change of a score [n]; the mean, better when high, is the R-score.

    log10(max(b - q, q - a) / |q' - q|) with a, b the lowest and highest score (Zhang et al., NeurIPS 2022). A score
    that
    did not move would be infinitely robust: changes below float32 rounding of the range count as that rounding.

    Args:
        bounds: lowest and highest quality of the model; clean scores beyond them count as lying on them.

    Raises:
        InvalidInput: lengths differ, or bounds are not ascending.
    """
    before, after = as_pair(clean, attacked, names=("clean", "attacked"))
    low, high = bounds
    if not high > low:
        raise InvalidInput(f"bounds ({low}, {high}) must be the lowest and the highest quality.")
    floor = float(np.finfo(np.float32).eps) * (high - low)
    return _log_room(np.clip(before, low, high), np.maximum(np.abs(after - before), floor), low, high)


def msu_robustness(clean: ArrayLike, attacked: ArrayLike, bounds: tuple[float, float]) -> FloatArray:
    """MSU's variant of the R-score per sample [n]: scores scaled to [0, 1] first, 1e-6 added to every change.

    Antsiferova et al., AAAI 2024; their bounds are the extremes of the clean scores of the evaluated set.
    Raises InvalidInput as ``r_score``.
    """
    before, after = as_pair(clean, attacked, names=("clean", "attacked"))
    low, high = bounds
    if not high > low:
        raise InvalidInput(f"bounds ({low}, {high}) must be the lowest and the highest quality.")
    before, after = (before - low) / (high - low), (after - low) / (high - low)
    return _log_room(before, np.abs(after - before) + MSU_FLOOR, 0.0, 1.0)


def signed_wasserstein(clean: ArrayLike, attacked: ArrayLike) -> float:
    """Wasserstein-1 distance between the two distributions of scores, with the sign of the mean change.

    Raises InvalidInput for scores that are none or not finite.
    """
    before, after = _distributions(clean, attacked)
    return float(stats.wasserstein_distance(before, after)) * float(np.sign(after.mean() - before.mean()))


def signed_energy(clean: ArrayLike, attacked: ArrayLike) -> float:
    """Energy distance (square root of twice the Cramér distance), signed likewise."""
    before, after = _distributions(clean, attacked)
    return float(stats.energy_distance(before, after)) * float(np.sign(after.mean() - before.mean()))


def _log_room(quality: FloatArray, change: FloatArray, low: float, high: float) -> FloatArray:
    room: FloatArray = np.log10(np.maximum(high - quality, quality - low) / change)
    return room


def _distributions(clean: ArrayLike, attacked: ArrayLike) -> tuple[FloatArray, FloatArray]:
    before, after = as_pair(clean, attacked, names=("clean", "attacked"))
    require_finite("clean", before)
    require_finite("attacked", after)
    return before, after
