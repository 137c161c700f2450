"""Which of several models are better than which: paired differences of SROCC, corrected for their number, and ties.

The BiRQA paper (Appendix C.5, Table 7) calls a difference significant where its interval is above 0 and it is at
least 0.01, without a correction. Holm's procedure (1979) is beside it. It needs p-values far below 1 / 1000, which no
count of 1,000 resamples can tell; they come from the bootstrap's standard error and the normal distribution (Efron &
Tibshirani, 1993, section 12).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from robustiqa.statistics._arrays import FloatArray, as_vector
from robustiqa.statistics.bootstrap import Bootstrapped, Interval

ALPHA: Final = 0.05
PAPER_MARGIN: Final = 0.01


@dataclass(frozen=True)
class Pair:
    """The difference ``row`` minus ``column`` (positions among the models) of a statistic that is better when higher.

    Attributes:
        difference: with its percentile interval; ``difference.median`` is the paper's effect size.
        p: two-sided, from the bootstrap's standard error; NaN where undefined.
        p_holm: corrected for all pairs of the table.
    """

    row: int
    column: int
    difference: Interval
    p: float
    p_holm: float

    @property
    def separable(self) -> bool:
        """Whether one is above the other: the interval excludes 0, a claim is allowed, and Holm agrees at 5 %."""
        return self.difference.verdict != "not separable" and self.p_holm < ALPHA

    @property
    def significant_in_paper(self) -> bool:
        """The paper's own rule, for whichever of the two is better: |median| >= 0.01 and the interval beyond 0."""
        low, high = self.difference.lo, self.difference.hi
        return (low > 0 or high < 0) and abs(self.difference.median) >= PAPER_MARGIN


def pairwise(models: Sequence[Bootstrapped]) -> list[Pair]:
    """All pairs of models, row after column, in the order of the paper's lower triangle.

    Raises:
        InvalidInput: they were not bootstrapped on the same resamples.
    """
    places = [(row, column) for column, row in combinations(range(len(models)), 2)]
    places.sort()
    differences = [models[row] - models[column] for row, column in places]
    p = [p_value(difference) for difference in differences]
    return [
        Pair(row, column, difference.interval(), own, corrected)
        for (row, column), difference, own, corrected in zip(places, differences, p, holm(p).tolist(), strict=True)
    ]


def p_value(difference: Bootstrapped) -> float:
    """Two-sided p of a difference of 0, from the standard error of its replicates; NaN where undefined."""
    used = difference.values[np.isfinite(difference.values)]
    if not math.isfinite(difference.estimate) or used.size < 2:
        return math.nan
    if difference.estimate == 0:
        return 1.0
    error = float(used.std(ddof=1))
    return float(2 * ndtr(-abs(difference.estimate) / error)) if error > 0 else 0.0


def holm(p: ArrayLike) -> FloatArray:
    """p-values [k] corrected for the k defined ones (Holm, 1979), in their order; NaN stays NaN, uncounted."""
    raw = as_vector("p", p)
    corrected = np.full(raw.size, math.nan)
    order = [i for i in np.argsort(raw, kind="stable") if not math.isnan(raw[i])]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0) if order else raw[order]
    return corrected


def tie_letters(estimates: ArrayLike, pairs: Sequence[Pair]) -> list[str]:
    """Compact letter display (Piepho, 2004): models that share a letter cannot be separated. ``a`` holds the best.

    A model without an estimate gets no letter. Being tied is not transitive: a model may be tied with two that differ.

    Args:
        estimates: of every model [n], higher is better.
        pairs: of ``pairwise``.
    """
    values = as_vector("estimates", estimates)
    defined = [int(i) for i in np.argsort(-values, kind="stable") if math.isfinite(values[i])]
    apart = {frozenset((pair.row, pair.column)) for pair in pairs if pair.separable}
    groups = _largest_only(_insert(defined, apart))
    groups.sort(key=lambda group: [defined.index(i) for i in sorted(group, key=defined.index)])
    return ["".join(_letter(g) for g, group in enumerate(groups) if i in group) for i in range(values.size)]


def _insert(models: Sequence[int], apart: set[frozenset[int]]) -> list[frozenset[int]]:
    """Split the group of all models at every separable pair, keeping groups that others do not contain."""
    groups = [frozenset(models)] if models else []
    for pair in sorted(apart, key=sorted):
        split = [group - {one} if pair <= group else group for group in groups for one in sorted(pair)]
        groups = _largest_only(split)
    return groups


def _largest_only(groups: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    distinct = list(dict.fromkeys(groups))
    return [group for group in distinct if not any(group < other for other in distinct)]


def _letter(i: int) -> str:
    return ascii_lowercase[i] if i < len(ascii_lowercase) else f"({i + 1})"
