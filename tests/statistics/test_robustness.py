"""Robustness scores of the literature, against their formulas and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    correlation_drops,
    msu_robustness,
    r_score,
    relative_gain,
    signed_energy,
    signed_wasserstein,
)

CLEAN = np.array([10.0, 50.0, 90.0, 120.0])
ATTACKED = np.array([20.0, 49.0, 90.0, 100.0])


def test_r_scores_are_their_formulas():
    """log10 of room over change; a clean score beyond the bounds lies on them; no change is float32's rounding."""
    expected = [math.log10(90 / 10), math.log10(50 / 1), math.log10(90 / (100 * np.finfo(np.float32).eps)), math.log10(100 / 20)]
    np.testing.assert_allclose(r_score(CLEAN, ATTACKED, (0, 100)), expected)
    msu = [math.log10(0.9 / (0.1 + 1e-6)), math.log10(0.5 / (0.01 + 1e-6)), math.log10(0.9 / 1e-6), math.log10(1.2 / (0.2 + 1e-6))]
    np.testing.assert_allclose(msu_robustness(CLEAN, ATTACKED, (0, 100)), msu)


def test_r_scores_do_not_depend_on_units_or_direction():
    """A distance in other units, turned round, is as robust."""
    for score in (r_score, msu_robustness):
        np.testing.assert_allclose(score(-3 * CLEAN, -3 * ATTACKED, (-300, 0)), score(CLEAN, ATTACKED, (0, 100)))
        with pytest.raises(InvalidInput, match="bounds"):
            score(CLEAN, ATTACKED, (1, 1))


def test_distances_are_scipys_with_the_sign_of_the_mean_change():
    """Lowered scores have negative distances; the same scores none."""
    for own, peer in ((signed_wasserstein, stats.wasserstein_distance), (signed_energy, stats.energy_distance)):
        assert own(CLEAN, ATTACKED) == pytest.approx(-peer(CLEAN, ATTACKED))
        assert own(ATTACKED, CLEAN) == pytest.approx(peer(CLEAN, ATTACKED))
        assert own(CLEAN, CLEAN) == 0
        with pytest.raises(InvalidInput):
            own([1.0, math.nan], [1.0, 2.0])


def test_relative_gain_weighs_low_scores_more():
    """Gain over 1 + clean, both in the range; undefined a whole range below it."""
    np.testing.assert_allclose(relative_gain([0.0, 10.0, -10.0], [5.0, 15.0, 0.0], 1, (0, 10)), [0.5, 0.25, math.nan])
    np.testing.assert_allclose(relative_gain([10.0], [5.0], -1, (0, 10)), [0.25])


def test_drops_are_scipys_and_the_logistic_is_not_fitted_anew():
    """SROCC and KROCC by scipy; an attack that a new fit would undo still costs PLCC."""
    rng = np.random.default_rng(0)
    human = rng.uniform(size=200)
    clean = human + 0.05 * rng.normal(size=200)
    drops = correlation_drops(human, clean, clean[::-1])
    assert drops.srocc.drop == pytest.approx(stats.spearmanr(human, clean)[0] - stats.spearmanr(human, clean[::-1])[0])
    assert drops.krocc.attacked == pytest.approx(stats.kendalltau(human, clean[::-1])[0])
    assert drops.agreement == pytest.approx(stats.spearmanr(clean, clean[::-1])[0])
    shifted = correlation_drops(human, clean, clean + 0.8)
    assert shifted.srocc.drop == pytest.approx(0, abs=1e-12)
    refitted = correlation_drops(human, clean + 0.8, clean + 0.8)
    assert refitted.plcc.attacked == pytest.approx(drops.plcc.clean, abs=1e-4)
    assert shifted.plcc.drop > 0.01


def test_drops_of_a_constant_model_are_undefined():
    """NaN, for a report to print as a dash."""
    drops = correlation_drops([1.0, 2.0, 3.0, 4.0], [1.0] * 4, [1.0, 2.0, 3.0, 4.0])
    assert math.isnan(drops.srocc.drop)
    assert math.isnan(drops.agreement)
