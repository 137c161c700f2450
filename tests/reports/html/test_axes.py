"""Scales and ticks."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.reports.html.axes import Scale, fitted, round_ticks

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@given(values=st.lists(FINITE, min_size=1, max_size=8))
def test_a_fitted_scale_holds_every_value_between_round_ends(values):
    """Values keep their order on the way to pixels, and the ends are ticks."""
    scale = fitted(values, 10, 210)
    at = [scale(v) for v in sorted(values)]
    assert at == sorted(at)
    assert all(10 - 1e-6 <= x <= 210 + 1e-6 for x in at)


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-4, 1e6))
def test_ticks_are_evenly_spaced_and_say_their_value(low, width):
    """Within the ends, none lost to rounding, each text as exact as the step needs."""
    ticks = round_ticks(low, low + width)
    values = [tick.value for tick in ticks]
    steps = [b - a for a, b in pairwise(values)]
    assert 2 <= len(ticks) <= 6
    assert max(steps) == pytest.approx(min(steps), rel=1e-4)
    assert [float(t.text.replace("−", "-")) for t in ticks] == pytest.approx(values, abs=steps[0] / 100)
    assert "-" not in "".join(t.text for t in ticks)


def test_a_fitted_scale_bears_what_cannot_be_drawn():
    """No value, one value, NaN and infinities."""
    for values in ([], [math.nan], [3.0], [math.inf, 1.0, 2.0]):
        scale = fitted(values, 0, 100)
        assert scale.low < scale.high
        assert all(math.isfinite(t.value) for t in scale.ticks())


def test_a_logarithmic_scale_gives_equal_ratios_equal_lengths():
    """From 1 to 100, 10 is half way."""
    assert Scale(1, 100, 0, 200, log=True)(10) == pytest.approx(100)
