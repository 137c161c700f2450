"""SROCC, KROCC and PLCC: exact against scipy's stored values, and undefined by one rule."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import krocc, plcc, srocc, undefined_reason

CORRELATIONS = (srocc, krocc, plcc)
grid_pairs = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=40).map(
    lambda pairs: np.array(pairs, dtype=np.float64).T
)


@pytest.mark.parametrize(("correlation", "key"), [(srocc, "spearman"), (krocc, "kendall_b"), (plcc, "pearson")])
def test_agrees_with_stored_values(shared: Path, correlation, key) -> None:
    """All three equal the stored scipy values, ties included, for metrics of either sign."""
    oracle = np.load(shared / "oracles" / "statistics_oracle.npz")
    ours = [correlation(oracle["mos"], column) for column in oracle["metrics"].T]
    np.testing.assert_allclose(ours, oracle[key], rtol=0, atol=1e-14)


def test_tau_is_the_b_variant() -> None:
    """With ties, (P - Q) / sqrt((P + Q + X0)(P + Q + Y0)) counted by hand: 5 concordant, 1 tied in x."""
    assert krocc([1, 1, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(5 * 6), abs=1e-15)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@given(pair=grid_pairs, data=st.data())
def test_order_of_samples_does_not_matter(correlation, pair, data) -> None:
    """Permuting the samples of both sides leaves every correlation as it was."""
    assume(undefined_reason(*pair) is None)
    order = data.draw(st.permutations(range(pair.shape[1])))
    assert correlation(*pair[:, order]) == pytest.approx(correlation(*pair), abs=1e-12)


@pytest.mark.parametrize("correlation", [srocc, krocc])
@given(pair=grid_pairs)
def test_ranks_ignore_monotone_maps(correlation, pair) -> None:
    """A strictly increasing map of one side changes nothing; a strictly decreasing one flips the sign."""
    assume(undefined_reason(*pair) is None)
    x, y = pair
    assert correlation(np.exp(x / 3), y) == correlation(x, y)
    assert correlation(-(x**3), y) == pytest.approx(-correlation(x, y), abs=1e-12)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "0 samples"),
        ([1, 2], [1, 2], "2 samples"),
        ([1, 1, 1], [1, 2, 3], "constant"),
        ([1, 2, 3], [0.1, 0.1, 0.1], "constant"),
        ([1, 2, math.nan, math.inf], [1, 2, math.nan, 4], "2 of 4"),
    ],
)
def test_undefined_input_gives_nan_and_a_reason(correlation, x, y, reason) -> None:
    """Too few, constant and non-finite input is NaN in every correlation, and the reason is told."""
    assert math.isnan(correlation(x, y))
    assert reason in undefined_reason(x, y)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@given(pair=grid_pairs)
def test_defined_exactly_where_no_reason_is_given(correlation, pair) -> None:
    """The rule is complete: NaN comes with a reason, a number in [-1, 1] without."""
    value = correlation(*pair)
    assert math.isnan(value) == (undefined_reason(*pair) is not None)
    assert math.isnan(value) or -1 <= value <= 1


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2, 3], [1, 2], "3 are expected"),
        ([[1, 2, 3]], [1, 2, 3], "shape"),
        (["a", "b", "c"], [1, 2, 3], "numbers"),
    ],
)
def test_misshapen_input_is_refused(correlation, x, y, message) -> None:
    """Arrays that cannot be aligned raise InvalidInput instead of giving a number."""
    with pytest.raises(InvalidInput, match=message):
        correlation(x, y)
