"""Trade-offs between figures that are all wanted high: who is beaten by nobody, and how far behind the others are."""

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import IntArray


def pareto_ranks(points: ArrayLike) -> IntArray:
    """Ranks [n] of ``points`` [n, k], higher is better in each of k columns: 0 on the Pareto front, 1 on the front that
    is left without it, and so on (non-dominated sorting; Goldberg, 1989). Points that are equal share a rank; NaN is
    worse than any number.

    Raises:
        InvalidInput: ``points`` is not a table of numbers.
    """
    try:
        table = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"points must be numbers, one row per point: {error}") from error
    if table.ndim != 2:
        raise InvalidInput(f"points have shape {table.shape}; pass one row per point, one column per figure.")
    table = np.where(np.isnan(table), -np.inf, table)
    no_worse = np.asarray((table[:, None] >= table[None]).all(2))
    beats = no_worse & ~no_worse.T  # beats[i, j]: i dominates j
    ranks = np.full(len(table), -1, dtype=np.intp)
    rank = 0
    while (ranks < 0).any():
        left = ranks < 0
        ranks[left & ~beats[left].any(0)] = rank
        rank += 1
    return ranks
