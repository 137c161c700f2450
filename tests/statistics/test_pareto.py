"""Pareto ranks against their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import pareto_ranks

POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=15)


@given(POINTS)
def test_a_rank_is_the_longest_chain_of_better_points(points):
    """One more than the highest rank among those that dominate a point, 0 where none does."""
    ranks = pareto_ranks(points)
    for point, rank in zip(points, ranks, strict=True):
        above = [r for p, r in zip(points, ranks, strict=True) if p != point and all(a >= b for a, b in zip(p, point, strict=True))]
        assert rank == max(above, default=-1) + 1


def test_nan_is_worst_and_what_is_no_table_is_refused():
    """A training that failed is on no front; texts and vectors are not points."""
    assert pareto_ranks([(0.1, 1.0), (np.nan, 1.0), (np.nan, 2.0)]).tolist() == [0, 1, 0]
    assert pareto_ranks(np.empty((0, 2))).tolist() == []
    with pytest.raises(InvalidInput, match="numbers"):
        pareto_ranks([("a", "b")])
    with pytest.raises(InvalidInput, match="shape"):
        pareto_ranks([1.0, 2.0])
