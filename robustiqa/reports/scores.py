"""The scores of the literature for one row of a report: gains, R-scores, distances, drops, and areas under curves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.reports.compose import View, quality_of
from robustiqa.statistics import (
    BudgetCurve,
    CalibrationRange,
    Drops,
    GainSummary,
    correlation_drops,
    gain_summary,
    msu_robustness,
    r_score,
    robust_range,
    signed_energy,
    signed_wasserstein,
)

Vector = NDArray[np.float64]
NO_RANGE: Final = CalibrationRange(math.nan, math.nan)


@dataclass(frozen=True)
class Scores:
    """Scores of one view's valid samples; NaN where undefined.

    Attributes:
        gains: signed, absolute, relative, 95th percentile and worst, in units of the calibration range.
        r_score, msu_robustness: means; higher is more robust.
        wasserstein, energy: distances between clean and attacked scores in units of the calibration range, positive
            where the mean quality rose.
        drops: of SROCC, PLCC and KROCC.
        query_area: area under the gain over the logarithm of queries, from the first milestone; black-box attacks only.
        change_area: area under the gain over the root mean square change, from 0; attacks that look for the least
            change.
        unmoved_share: share of samples whose score did not move at all.
    """

    gains: GainSummary
    r_score: float
    msu_robustness: float
    wasserstein: float
    energy: float
    drops: Drops
    query_area: float
    change_area: float
    unmoved_share: float


def scores_of_view(view: View) -> Scores:
    """All scores of ``view``, on its samples with finite scores."""
    keep = np.array([row.status == "ok" for row in view.rows], dtype=bool)
    rows = [row for row in view.rows if row.status == "ok"]
    clean, attacked = (view.quality(name)[keep] for name in ("clean", "attacked"))
    signs = view.signs[keep]
    calibration = quality_of([row for row in view.calibration if row.status == "ok"], "clean", view.orientation)
    unit = robust_range(calibration) if calibration.size else NO_RANGE
    width = unit.width if unit.is_usable and rows else math.nan
    extremes = (float(calibration.min()), float(calibration.max())) if math.isfinite(width) else None
    declared = _declared(view)
    bounds = declared if declared is not None else extremes
    curves = [_points(row, sign * view.orientation, width) for row, sign in zip(rows, signs.tolist(), strict=True)]
    return Scores(
        gains=gain_summary(clean, attacked, signs, unit),
        r_score=_mean(r_score(clean, attacked, bounds)) if bounds is not None else math.nan,
        msu_robustness=_mean(msu_robustness(clean, attacked, extremes)) if extremes is not None else math.nan,
        wasserstein=signed_wasserstein(clean, attacked) / width if rows else math.nan,
        energy=signed_energy(clean / width, attacked / width) if math.isfinite(width) else math.nan,
        drops=correlation_drops([row.quality for row in rows], clean, attacked),
        query_area=_area([points for points in curves if points and points[-1][0] > 1]),
        change_area=_area([points for points in curves if points and points[-1][0] <= 1]),
        unmoved_share=_mean((clean == attacked).astype(np.float64)),
    )


def _declared(view: View) -> tuple[float, float] | None:
    """Lowest and highest quality that the model declares, if it does."""
    ends = [view.orientation * end for end in view.spec.model.score_range if end is not None]
    return (min(ends), max(ends)) if len(ends) == 2 else None


def _points(row: SampleRow, orientation: float, width: float) -> list[tuple[float, float]]:
    """(budget, gain) of one sample's search; the end of a search by queries is its last point."""
    points = dict(row.curve)
    if points and max(points) > 1 and row.attacked is not None:
        points[float(row.forwards)] = row.attacked
    start = 0.0 if row.clean is None else row.clean
    gains = [(at, orientation * (score - start) / width) for at, score in sorted(points.items())]
    return gains if math.isfinite(width) else []


def _area(samples: Sequence[Sequence[tuple[float, float]]]) -> float:
    if not samples:
        return math.nan
    return BudgetCurve.of(samples).area("log" if samples[0][-1][0] > 1 else "linear")


def _mean(values: Vector) -> float:
    return float(values.mean()) if values.size else math.nan
