"""Curves of one search at smaller budgets, their areas, and the smallest change that reaches a goal."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import BudgetCurve, area

SAMPLES = [[(100, 0.2), (300, 0.5), (1000, 0.6)], [(100, 0.0), (150, 0.4)]]


def test_a_sample_keeps_what_it_had_until_its_next_point():
    """A search that ended early stays at its end; below its first point it gained nothing."""
    curve = BudgetCurve.of(SAMPLES)
    assert curve.budgets.tolist() == [100, 150, 300, 1000]
    np.testing.assert_array_equal(curve.gains, [[0.2, 0.2, 0.5, 0.6], [0.0, 0.4, 0.4, 0.4]])
    np.testing.assert_allclose(curve.mean, [0.1, 0.3, 0.45, 0.5])


def test_areas_by_hand():
    """Linear from (0, 0); logarithmic from the first budget; both in units of the gain."""
    curve = BudgetCurve.of([[(10, 1.0), (100, 3.0)]])
    assert curve.area() == pytest.approx((10 * 0.5 + 90 * 2) / 100)
    assert curve.area("log") == pytest.approx(2)
    assert BudgetCurve.of([[(10, 1.0)]]).area("log") == 1
    assert area([0, 2], [1, 3]) == 2


def test_the_least_change_that_reaches_a_goal():
    """Infinite where no change did; the share that is reached never falls."""
    curve = BudgetCurve.of(SAMPLES)
    assert curve.least(0.4).tolist() == [300, 150]
    assert curve.least(0.5).tolist() == [300, math.inf]
    assert curve.reached(0.4).tolist() == [0, 0.5, 1, 1]


@given(st.lists(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 9)), min_size=1, max_size=6), min_size=1, max_size=5))
def test_a_rising_curve_has_an_area_between_its_ends(samples):
    """Whatever the budgets of the samples are."""
    rising = []
    for points in samples:
        budgets = sorted({at for at, _ in points})
        rising.append(list(zip(budgets, sorted(gain for _, gain in points)[: len(budgets)], strict=True)))
    curve = BudgetCurve.of(rising)
    assert (np.diff(curve.mean) >= -1e-12).all()
    for scale, low in (("linear", 0.0), ("log", curve.mean[0])):
        assert low - 1e-9 <= curve.area(scale) <= curve.mean[-1] + 1e-9
    assert (np.diff(curve.reached(3.0)) >= 0).all()


@pytest.mark.parametrize("samples", [[], [[]], [[(0, 1.0)]], [[(2, 1.0), (2, 2.0)]], [[(1, math.nan)]]])
def test_what_is_no_curve_is_refused(samples):
    """No samples, no points, budgets at 0 or twice, gains that are no numbers."""
    with pytest.raises(InvalidInput):
        BudgetCurve.of(samples)
