"""Statistics of a robustness benchmark: correlations, bootstrap intervals, gains. Needs numpy and scipy only.

Scores given to this room are quality-oriented: higher is better for models and humans alike.
"""

from robustiqa.statistics.bootstrap import (
    DEGENERATE_REPLICATES,
    FEW_CLUSTERS,
    UNDEFINED,
    Bootstrapped,
    Interval,
    Verdict,
    bootstrap,
    bootstrap_mean,
    bootstrap_srocc,
    interval,
    paired_difference,
)
from robustiqa.statistics.correlation import krocc, plcc, srocc, undefined_reason
from robustiqa.statistics.direction import random_signs, tomean_signs
from robustiqa.statistics.gain import (
    NON_FINITE,
    ZERO_RANGE,
    CalibrationRange,
    GainSummary,
    gain,
    gain_raw,
    gain_summary,
    robust_range,
)
from robustiqa.statistics.linear_and_kendall import bootstrap_krocc, bootstrap_plcc
from robustiqa.statistics.logistic import LogisticMap, fit_logistic, plcc_after_logistic
from robustiqa.statistics.pareto import pareto_ranks
from robustiqa.statistics.resamples import Mode, Resamples
from robustiqa.statistics.two_afc import TwoAFC, flip_rate, majority_accuracy, soft_score
from robustiqa.statistics.within_type import WithinType, bootstrap_srocc_within_type, srocc_within_type

__all__ = [
    "DEGENERATE_REPLICATES",
    "FEW_CLUSTERS",
    "NON_FINITE",
    "UNDEFINED",
    "ZERO_RANGE",
    "Bootstrapped",
    "CalibrationRange",
    "GainSummary",
    "Interval",
    "LogisticMap",
    "Mode",
    "Resamples",
    "TwoAFC",
    "Verdict",
    "WithinType",
    "bootstrap",
    "bootstrap_krocc",
    "bootstrap_mean",
    "bootstrap_plcc",
    "bootstrap_srocc",
    "bootstrap_srocc_within_type",
    "fit_logistic",
    "flip_rate",
    "gain",
    "gain_raw",
    "gain_summary",
    "interval",
    "krocc",
    "majority_accuracy",
    "paired_difference",
    "pareto_ranks",
    "plcc",
    "plcc_after_logistic",
    "random_signs",
    "robust_range",
    "soft_score",
    "srocc",
    "srocc_within_type",
    "tomean_signs",
    "undefined_reason",
]
