"""Gain: positive when the attacker succeeds, in units of the clean range, nothing averaged in silence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    NON_FINITE,
    ZERO_RANGE,
    CalibrationRange,
    gain,
    gain_raw,
    gain_summary,
    robust_range,
)

score_vectors = arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100))


def test_gain_in_the_attacked_direction() -> None:
    """Raising a raised image and lowering a lowered one are both gains; the range is the unit."""
    clean, attacked, sign = [1.0, 1.0, 1.0, 1.0], [3.0, 3.0, 0.0, 0.0], [1, -1, 1, -1]
    np.testing.assert_array_equal(gain_raw(clean, attacked, sign), [2, -2, -1, 1])
    np.testing.assert_array_equal(gain(clean, attacked, sign, (0.0, 4.0)), [0.5, -0.5, -0.25, 0.25])


def test_range_ignores_one_outlier() -> None:
    """The 1st and 99th percentile of 0..100 are 1 and 99, and a wild score hardly moves them."""
    scores = np.arange(101.0)
    assert robust_range(scores) == (1.0, 99.0)
    assert robust_range(np.append(scores, 1e9)).width < 101


@given(scores=score_vectors, scale=st.floats(0.01, 100), shift=st.floats(-100, 100), data=st.data())
def test_gain_does_not_depend_on_the_units(scores, scale, shift, data) -> None:
    """An increasing affine change of a model's unit changes the raw gain and not the normalised one."""
    attacked = data.draw(arrays(np.float64, scores.size, elements=st.floats(-100, 100)))
    before = gain(scores, attacked, 1, (0.0, 10.0))
    after = gain(scale * scores + shift, scale * attacked + shift, 1, (shift, scale * 10 + shift))
    np.testing.assert_allclose(after, before, atol=1e-6)


@given(clean=score_vectors)
def test_unmoved_scores_gain_nothing(clean) -> None:
    """An attack that does nothing has a gain of exactly 0 in both directions."""
    assert not gain_raw(clean, clean, 1).any()
    assert not gain_raw(clean, clean, -1).any()


@pytest.mark.parametrize("flat", [(0.7, 0.7), (0.7, 0.7 + 1e-9), (0.9, 0.1), (0.0, math.inf), (math.nan, 1.0)])
def test_range_without_width_is_refused(flat) -> None:
    """Clean scores constant up to float32 rounding give no normalised gain; the error says what to do."""
    assert not CalibrationRange(*flat).is_usable
    with pytest.raises(InvalidInput, match="gain_raw"):
        gain([0.7], [0.9], 1, flat)


def test_summary_flags_a_range_without_width() -> None:
    """A table gets the raw gain, an undefined normalised one and the flag."""
    summary = gain_summary([0.5, 0.5], [0.75, 1.0], 1, (0.5, 0.5))
    assert summary.flags == (ZERO_RANGE,)
    assert summary.mean_raw == 0.375
    assert all(math.isnan(x) for x in (summary.mean, summary.mean_absolute, summary.q95, summary.worst))


def test_summary_counts_what_it_excludes() -> None:
    """Samples without a finite score are excluded from every number, counted and flagged."""
    clean = [0.0, 0.0, math.nan, 0.0, -math.inf]
    attacked = [1.0, -2.0, 1.0, math.inf, -math.inf]
    np.testing.assert_array_equal(gain_raw(clean, attacked, 1), [1, -2, math.nan, math.nan, math.nan])
    summary = gain_summary(clean, attacked, 1, (0.0, 2.0))
    assert (summary.samples, summary.excluded, summary.flags) == (2, 3, (NON_FINITE,))
    assert (summary.mean, summary.mean_raw, summary.mean_absolute) == (-0.25, -0.5, 0.75)
    assert (summary.worst, summary.q95) == (0.5, pytest.approx(0.425))


def test_summary_of_nothing_is_undefined_and_says_so() -> None:
    """Without a valid sample every number is NaN, and the excluded samples are still counted."""
    summary = gain_summary([math.nan], [1.0], 1, (0.0, 1.0))
    assert math.isnan(summary.mean)
    assert math.isnan(summary.mean_raw)
    assert (summary.samples, summary.excluded, summary.flags) == (0, 1, (NON_FINITE,))


@given(clean=score_vectors, data=st.data())
def test_summary_is_consistent_with_the_gains(clean, data) -> None:
    """Mean, mean absolute, 95th percentile and worst are those of ``gain``, in their necessary order."""
    attacked = data.draw(arrays(np.float64, clean.size, elements=st.floats(-100, 100)))
    gains = gain(clean, attacked, -1, (0.0, 8.0))
    summary = gain_summary(clean, attacked, -1, (0.0, 8.0))
    assert summary.mean == pytest.approx(gains.mean())
    assert summary.worst == gains.max() >= summary.q95
    assert summary.mean_absolute >= abs(summary.mean) - 1e-12


@pytest.mark.parametrize("sign", [0, 2, [1, -1, 0], [1, -1], "up", math.nan])
def test_other_signs_are_refused(sign) -> None:
    """A direction is +1 or -1 for each sample; anything else raises InvalidInput."""
    with pytest.raises(InvalidInput, match="sign"):
        gain_raw([1, 2, 3], [1, 2, 3], sign)


@pytest.mark.parametrize("scores", [[], [1.0, math.nan]])
def test_range_of_missing_scores_is_refused(scores) -> None:
    """A calibration set that is empty or holds failed scores raises InvalidInput."""
    with pytest.raises(InvalidInput, match="clean_scores"):
        robust_range(scores)
