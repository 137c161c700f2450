"""Statistics of a robustness benchmark: correlations, bootstrap intervals, gains, IR-Score. It needs numpy and scipy.

Optimal transport imports POT, and its neural variant torch, when a map is fitted. Scores given to this room are
quality-oriented: higher is better for models and humans alike.
"""

from robustiqa.statistics.bca import BCA_UNDEFINED, bca_interval, jackknife_srocc
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
    bootstrap_sroccs,
    interval,
    paired_difference,
)
from robustiqa.statistics.correlation import krocc, plcc, srocc, undefined_reason
from robustiqa.statistics.curves import BudgetCurve, area
from robustiqa.statistics.direction import random_signs, tomean_signs
from robustiqa.statistics.drops import Drop, Drops, correlation_drops
from robustiqa.statistics.gain import (
    NON_FINITE,
    ZERO_RANGE,
    CalibrationRange,
    GainSummary,
    gain,
    gain_raw,
    gain_summary,
    relative_gain,
    robust_range,
)
from robustiqa.statistics.ir_score import PAPER_EPS, IRScore, Moves, ir_score
from robustiqa.statistics.linear_and_kendall import bootstrap_krocc, bootstrap_plcc
from robustiqa.statistics.logistic import LogisticMap, fit_logistic, plcc_after_logistic
from robustiqa.statistics.pairwise import Pair, holm, p_value, pairwise, tie_letters
from robustiqa.statistics.pareto import pareto_ranks
from robustiqa.statistics.resamples import Mode, Resamples
from robustiqa.statistics.robustness import msu_robustness, r_score, signed_energy, signed_wasserstein
from robustiqa.statistics.transport import DOMAINS, Domain, QualityMap, fit_map
from robustiqa.statistics.two_afc import TwoAFC, flip_rate, majority_accuracy, soft_score
from robustiqa.statistics.within_type import WithinType, bootstrap_srocc_within_type, srocc_within_type

__all__ = [
    "BCA_UNDEFINED",
    "DEGENERATE_REPLICATES",
    "DOMAINS",
    "FEW_CLUSTERS",
    "NON_FINITE",
    "PAPER_EPS",
    "UNDEFINED",
    "ZERO_RANGE",
    "Bootstrapped",
    "BudgetCurve",
    "CalibrationRange",
    "Domain",
    "Drop",
    "Drops",
    "GainSummary",
    "IRScore",
    "Interval",
    "LogisticMap",
    "Mode",
    "Moves",
    "Pair",
    "QualityMap",
    "Resamples",
    "TwoAFC",
    "Verdict",
    "WithinType",
    "area",
    "bca_interval",
    "bootstrap",
    "bootstrap_krocc",
    "bootstrap_mean",
    "bootstrap_plcc",
    "bootstrap_srocc",
    "bootstrap_srocc_within_type",
    "bootstrap_sroccs",
    "correlation_drops",
    "fit_logistic",
    "fit_map",
    "flip_rate",
    "gain",
    "gain_raw",
    "gain_summary",
    "holm",
    "interval",
    "ir_score",
    "jackknife_srocc",
    "krocc",
    "majority_accuracy",
    "msu_robustness",
    "p_value",
    "paired_difference",
    "pairwise",
    "pareto_ranks",
    "plcc",
    "plcc_after_logistic",
    "r_score",
    "random_signs",
    "relative_gain",
    "robust_range",
    "signed_energy",
    "signed_wasserstein",
    "soft_score",
    "srocc",
    "srocc_within_type",
    "tie_letters",
    "tomean_signs",
    "undefined_reason",
]
