"""Correlations between quality-oriented model scores and human scores: SROCC, KROCC, PLCC.

One rule says when a correlation is undefined, for every function of this room: fewer than 3 samples, a
non-finite value, or a constant side. The value is then NaN, ``undefined_reason`` says why, and reports print
"—" and a flag.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from robustiqa.statistics._arrays import FloatArray, as_pair

MIN_SAMPLES = 3


def undefined_reason(x: ArrayLike, y: ArrayLike) -> str | None:
    """Why a correlation of x and y is undefined, or None when it is defined.

    Raises InvalidInput when x and y are not two 1-D arrays of one length.
    """
    x, y = as_pair(x, y)
    if x.size < MIN_SAMPLES:
        return f"{x.size} samples, fewer than {MIN_SAMPLES}"
    missing = int(np.count_nonzero(~(np.isfinite(x) & np.isfinite(y))))
    if missing:
        return f"{missing} of {x.size} samples are not finite"
    if np.all(x == x[0]) or np.all(y == y[0]):
        return "one side is constant"
    return None


def srocc(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation, signed, ties on midranks, in [-1, 1]; NaN when undefined (see the module).

    Raises InvalidInput when x and y are not two 1-D arrays of one length.
    """
    x, y = as_pair(x, y)
    return _srocc(x.tobytes(), y.tobytes())


@lru_cache(maxsize=4096)
def _srocc(x: bytes, y: bytes) -> float:
    """Of float64 vectors, given as bytes: a report asks for the same clean scores with every attack and interval."""
    pair = _defined(np.frombuffer(x), np.frombuffer(y))
    return math.nan if pair is None else float(stats.spearmanr(*pair).statistic)


def krocc(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b, signed, in [-1, 1]; NaN when undefined (see the module).

    Raises InvalidInput when x and y are not two 1-D arrays of one length.
    """
    pair = _defined(x, y)
    return math.nan if pair is None else float(stats.kendalltau(*pair, variant="b").statistic)


def plcc(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson's linear correlation, signed, in [-1, 1]; NaN when undefined (see the module).

    Raises InvalidInput when x and y are not two 1-D arrays of one length.
    """
    pair = _defined(x, y)
    if pair is None:
        return math.nan
    # by hand: scipy.stats.pearsonr takes longer for its p-value than for this, and a report asks thousands of times
    return float(np.clip(_unit(pair[0]) @ _unit(pair[1]), -1.0, 1.0))


def _unit(values: FloatArray) -> FloatArray:
    """Centred, with norm 1; scaled first, so that squares of tiny or huge numbers stay numbers."""
    centred = values - values.mean()
    scaled: FloatArray = centred / np.abs(centred).max()
    return scaled / float(np.linalg.norm(scaled))


def _defined(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray] | None:
    pair = as_pair(x, y)
    return pair if undefined_reason(*pair) is None else None
