"""How far an attack moved the scores: gain per sample in the attacked direction, in units of the clean range.

All scores are quality-oriented (higher is better). The sign is +1 where the attack was to raise quality and
-1 where it was to lower it, so a positive gain is always the attacker's success.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, as_pair, as_vector, require_finite, require_length

ZERO_RANGE: Final = "zero-range"
NON_FINITE: Final = "non-finite"


class CalibrationRange(NamedTuple):
    """1st and 99th percentile of clean quality-oriented scores on a calibration set, in native units."""

    q01: float
    q99: float

    @property
    def width(self) -> float:
        """q99 - q01, the unit of the normalised gain."""
        return self.q99 - self.q01

    @property
    def is_usable(self) -> bool:
        """Whether clean scores differ by more than float32 rounding; else a normalised gain means nothing."""
        rounding = float(np.finfo(np.float32).eps) * max(abs(self.q01), abs(self.q99))
        return math.isfinite(self.width) and self.width > rounding


@dataclass(frozen=True)
class GainSummary:
    """Gains of one cell over its valid samples; every number is NaN when there are none.

    Attributes:
        mean: mean gain in units of the calibration range; like the next four NaN with the flag "zero-range".
        mean_absolute: mean |gain|, in which opposite changes do not cancel.
        mean_relative: mean of ``relative_gain``.
        q95: 95th percentile of the gain.
        worst: largest gain.
        mean_raw: mean gain in native units.
        samples: samples averaged.
        excluded: samples left out because a score is not finite; flag "non-finite".
        flags: "zero-range", "non-finite".
    """

    mean: float
    mean_absolute: float
    mean_relative: float
    q95: float
    worst: float
    mean_raw: float
    samples: int
    excluded: int
    flags: tuple[str, ...] = ()


def robust_range(clean_scores: ArrayLike) -> CalibrationRange:
    """1st and 99th percentile (linear) of clean scores [n]; one outlier does not rescale every gain.

    Raises InvalidInput for scores that are none or not finite.
    """
    scores = as_vector("clean_scores", clean_scores)
    require_finite("clean_scores", scores)
    q01, q99 = np.percentile(scores, (1, 99), method="linear")
    return CalibrationRange(float(q01), float(q99))


def gain_raw(clean: ArrayLike, attacked: ArrayLike, sign: ArrayLike) -> FloatArray:
    """Change in the attacked direction, sign * (attacked - clean), per sample, [n], native units.

    NaN where a score is not finite.

    Args:
        clean: scores of the un-attacked images, quality-oriented, [n].
        attacked: scores of the attacked images, quality-oriented, [n].
        sign: +1 (quality was to rise) or -1 (to fall), one number or [n].

    Raises:
        InvalidInput: lengths differ, or a sign is neither +1 nor -1.
    """
    before, after = as_pair(clean, attacked, names=("clean", "attacked"))
    signs = _as_signs(sign, before.size)
    valid = np.isfinite(before) & np.isfinite(after)
    change = np.full(before.size, np.nan)
    change[valid] = after[valid] - before[valid]
    result: FloatArray = signs * change
    return result


def gain(
    clean: ArrayLike, attacked: ArrayLike, sign: ArrayLike, calibration_range: tuple[float, float]
) -> FloatArray:
    """``gain_raw`` divided by the width of the calibration range (q01, q99), per sample, [n].

    Raises:
        InvalidInput: as ``gain_raw``; or the range has no width, and then only ``gain_raw`` means something.
    """
    unit = CalibrationRange(*calibration_range)
    if not unit.is_usable:
        raise InvalidInput(
            f"calibration range ({unit.q01}, {unit.q99}) has no width, so a normalised gain is undefined; "
            "report gain_raw, or calibrate on images that the model scores differently"
        )
    return gain_raw(clean, attacked, sign) / unit.width


def relative_gain(
    clean: ArrayLike, attacked: ArrayLike, sign: ArrayLike, calibration_range: tuple[float, float]
) -> FloatArray:
    """The gain relative to the clean score, gain / (1 + c), per sample, [n]; c is the clean score scaled to the range.

    MSU's relative gain (Antsiferova et al., AAAI 2024): the 1 keeps images of the lowest quality from being divided
    by 0. NaN where a score is not finite, or c is -1 or less, a whole range below the calibration scores. Raises
    InvalidInput as ``gain``.
    """
    unit = CalibrationRange(*calibration_range)
    own = gain(clean, attacked, sign, calibration_range)
    base = 1 + (as_vector("clean", clean) - unit.q01) / unit.width
    return own / np.where(base > 0, base, np.nan)


def gain_summary(
    clean: ArrayLike, attacked: ArrayLike, sign: ArrayLike, calibration_range: tuple[float, float]
) -> GainSummary:
    """Summary of the gains for a table: a range without width and excluded samples are flagged, not raised.

    Raises InvalidInput as ``gain_raw``.
    """
    raw = gain_raw(clean, attacked, sign)
    valid = raw[np.isfinite(raw)]
    unit = CalibrationRange(*calibration_range)
    scaled = valid / unit.width if unit.is_usable else np.full(valid.size, np.nan)
    relative = relative_gain(clean, attacked, sign, unit) if unit.is_usable else np.full(raw.size, np.nan)
    relative = relative[np.isfinite(relative)]
    raised = {ZERO_RANGE: not unit.is_usable, NON_FINITE: valid.size < raw.size}
    return GainSummary(
        **_location(scaled),
        mean_relative=float(relative.mean()) if relative.size else math.nan,
        mean_raw=float(valid.mean()) if valid.size else math.nan,
        samples=valid.size,
        excluded=raw.size - valid.size,
        flags=tuple(flag for flag, is_raised in raised.items() if is_raised),
    )


def _location(gains: FloatArray) -> dict[str, float]:
    if gains.size == 0:
        return dict.fromkeys(("mean", "mean_absolute", "q95", "worst"), math.nan)
    return {
        "mean": float(gains.mean()),
        "mean_absolute": float(np.abs(gains).mean()),
        "q95": float(np.percentile(gains, 95, method="linear")),
        "worst": float(gains.max()),
    }


def _as_signs(sign: ArrayLike, size: int) -> FloatArray:
    signs = as_vector("sign", np.full(size, sign) if np.ndim(sign) == 0 else sign)
    require_length("sign", signs.size, size)
    if not np.isin(signs, (-1.0, 1.0)).all():
        raise InvalidInput("sign must be +1 (quality was to rise) or -1 (to fall) for every sample")
    return signs
