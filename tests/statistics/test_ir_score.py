"""IR-Score: its sign, what it is a mean of, and that a map which saw attacked scores would hide the attack."""

import numpy as np
import pytest

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import PAPER_EPS, Moves, Resamples, fit_map, ir_score

RNG = np.random.default_rng(3)
N = 80
CALIBRATION = RNG.uniform(size=300)
MAP = fit_map(CALIBRATION, domain="minmax")
CLEAN = RNG.uniform(0.2, 0.8, N)
RESAMPLES = Resamples.draw(np.repeat(np.arange(20), 4), replicates=200)


def attacked(strength, sign=1, eps=PAPER_EPS):
    """Scores that move by ``strength`` times ε / (8/255), in the direction ``sign``."""
    return [CLEAN + sign * strength * e * 255 / 8 for e in eps]


def moves(strength, sign=1, eps=PAPER_EPS, to_domain=MAP):
    return Moves.of(eps, [CLEAN] * len(eps), attacked(strength, sign, eps), [sign] * len(eps), to_domain)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_defense_that_moves_less_scores_above_zero_in_either_direction(sign):
    """By hand: mean ε is 6/255, so that G = strength * 6/8 over the calibration range."""
    found = ir_score(moves(0.4, sign), moves(0.1, sign), RESAMPLES)
    width = np.ptp(CALIBRATION)
    assert found.base.estimate == pytest.approx(0.4 * 6 / 8 / width)
    assert found.defended.estimate == pytest.approx(0.1 * 6 / 8 / width)
    assert found.score.estimate == pytest.approx(0.3 * 6 / 8 / width)
    assert found.ratio.estimate == pytest.approx(0.75)
    assert found.score.interval().verdict == "above"
    worse = ir_score(moves(0.1, sign), moves(0.4, sign), RESAMPLES)
    assert worse.score.estimate == pytest.approx(-found.score.estimate)
    assert worse.ratio.estimate == pytest.approx(-3)


def test_signs_may_differ_from_sample_to_sample():
    """What tomean asks for: success upwards and downwards both count as moves."""
    signs = np.where(np.arange(N) % 2, 1, -1)
    both = Moves.of([8 / 255], [CLEAN], [CLEAN + 0.1 * signs], [signs], MAP)
    assert both.values.mean() == pytest.approx(0.1 / np.ptp(CALIBRATION))


def test_no_attack_and_no_defense_score_nothing():
    """Unmoved scores have G = 0, no ratio; a model against itself has an IR-Score of 0."""
    still = ir_score(moves(0.0), moves(0.0), RESAMPLES)
    assert still.base.estimate == 0
    assert np.isnan(still.ratio.estimate)
    assert "undefined" in still.ratio.interval().flags
    same = ir_score(moves(0.3), moves(0.3), RESAMPLES).score.interval()
    assert (same.estimate, same.lo, same.hi, same.verdict) == (0, 0, 0, "not separable")


def test_the_curve_and_its_area():
    """G at each ε; the area of a line through 0 is half its height."""
    found = moves(0.4)
    assert [eps for eps, _ in found.curve] == list(PAPER_EPS)
    assert found.curve[-1][1] == pytest.approx(0.5 / np.ptp(CALIBRATION))
    assert found.area == pytest.approx(0.25 / np.ptp(CALIBRATION))


def test_a_map_fitted_on_attacked_scores_would_hide_the_attack():
    """Why maps are fitted on clean scores: pooled ones take the attack for part of the range."""
    fooled = np.concatenate([CALIBRATION, CALIBRATION + 0.5])
    honest, pooled = moves(0.5, to_domain=fit_map(CALIBRATION)), moves(0.5, to_domain=fit_map(fooled))
    assert pooled.values.mean() < 0.8 * honest.values.mean()


def test_moves_tell_how_much_lies_beyond_the_calibration_scores():
    """On the tails the map is an extrapolation."""
    assert moves(0.0).outside == 0
    assert moves(10.0).outside == 1


def test_domains_agree_on_the_score():
    """Exact and neural transport give the same IR-Score within 0.02."""
    target = RNG.beta(4, 2, 300)
    scores = []
    for domain in ("ot", "neural"):
        found = fit_map(CALIBRATION, target, domain)
        scores.append(ir_score(moves(0.4, to_domain=found), moves(0.1, to_domain=found), RESAMPLES).score.estimate)
    assert scores[0] == pytest.approx(scores[1], abs=0.02)
    assert scores[0] > 0.1


def test_radii_must_be_the_same_and_ascending():
    """A defended model attacked at other ε is no comparison."""
    with pytest.raises(InvalidInput, match="radii differ"):
        ir_score(moves(0.4), moves(0.1, eps=PAPER_EPS[:2]), RESAMPLES)
    with pytest.raises(InvalidInput, match="ascending"):
        moves(0.4, eps=(8 / 255, 2 / 255))
    with pytest.raises(InvalidInput, match="ascending"):
        moves(0.4, eps=())
    with pytest.raises(InvalidInput, match="samples"):
        ir_score(moves(0.4), moves(0.1), Resamples.draw(np.arange(5)))
