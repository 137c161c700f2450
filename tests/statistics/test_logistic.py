"""The logistic map: recovers curves, stays frozen on attacked scores, keeps the sign, fails out loud."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import LogisticMap, fit_logistic, logistic, plcc, plcc_after_logistic, srocc

TRUE = (90.0, 10.0, 0.4, 0.1)


def vqeg(x, b1, b2, b3, b4):
    return (b1 - b2) / (1 + np.exp(-(x - b3) / np.abs(b4))) + b2


def sample(noise: float, seed: int = 0, size: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(size=size)
    return scores, vqeg(scores, *TRUE) + noise * rng.normal(size=size)


def test_recovers_the_parameters_of_a_logistic() -> None:
    """On noise-free data the four parameters come back and PLCC after the map is 1."""
    scores, human = sample(noise=0)
    fitted = fit_logistic(scores, human)
    assert fitted.converged
    assert fitted.parameters == pytest.approx(TRUE, rel=1e-4)
    assert plcc_after_logistic(fitted, scores, human) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_is_the_least_squares_fit(seed) -> None:
    """On noisy data it fits as well as scipy's curve_fit started at the truth."""
    scores, human = sample(noise=8, seed=seed)
    reference, _ = curve_fit(vqeg, scores, human, p0=TRUE)
    fitted = fit_logistic(scores, human)
    best = np.square(vqeg(scores, *reference) - human).sum()
    assert np.square(fitted(scores) - human).sum() == pytest.approx(best, rel=1e-6)
    assert fitted.parameters == pytest.approx(reference, rel=1e-2)


@settings(deadline=None, max_examples=40)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_does_not_depend_on_the_units_of_the_scores(scale, shift) -> None:
    """An affine change of the unit of the scores leaves PLCC after the map as it was."""
    scores, human = sample(noise=5, size=60)
    moved = scale * scores + shift
    expected = plcc_after_logistic(fit_logistic(scores, human), scores, human)
    assert plcc_after_logistic(fit_logistic(moved, human), moved, human) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "curve",
    [lambda x: 3 * x + 1, lambda x: np.exp(5 * x), lambda x: 1 - np.exp(-5 * x), lambda x: (x > 0.5) * 1.0],
    ids=["line", "convex", "concave", "step"],
)
def test_limits_of_the_logistic_are_fitted_too(curve) -> None:
    """Lines, one-sided curves and steps are limits of the logistic; the fit gets near and stays finite."""
    scores = np.random.default_rng(1).uniform(size=300)
    fitted = fit_logistic(scores, curve(scores))
    assert fitted.converged
    assert plcc_after_logistic(fitted, scores, curve(scores)) > 0.9999
    assert np.abs(fitted([-10.0, 10.0])).max() < 1e6


def test_one_outlier_does_not_ruin_the_fit() -> None:
    """A clean score far outside all others leaves the curve of the rest standing."""
    scores, human = sample(noise=1)
    fitted = fit_logistic(np.append(scores, 1e6), np.append(human, 90))
    assert plcc_after_logistic(fitted, scores, human) > 0.99


def test_frozen_on_clean_scores() -> None:
    """The map cannot be changed, and attacked scores meet the clean curve; a refit would differ."""
    scores, human = sample(noise=3)
    fitted = fit_logistic(scores, human)
    before = fitted.parameters
    attacked = scores + 0.6 * (human < human.mean())
    frozen = plcc_after_logistic(fitted, attacked, human)
    refitted = plcc_after_logistic(fit_logistic(attacked, human), attacked, human)
    np.testing.assert_array_equal(fitted(attacked), LogisticMap(before)(attacked))
    assert frozen == pytest.approx(plcc(vqeg(attacked, *before), human), abs=1e-12)
    assert abs(frozen - refitted) > 0.05
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted.parameters = (0.0, 1.0, 0.0, 1.0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), noise=st.floats(0, 60))
def test_map_is_monotone(seed, noise) -> None:
    """Whatever it was fitted on, the map preserves or reverses order, as ``increasing`` says."""
    fitted = fit_logistic(*sample(noise=noise, seed=seed, size=25))
    steps = np.diff(fitted(np.linspace(-1, 2, 200)))
    assert (steps >= -1e-9).all() if fitted.increasing else (steps <= 1e-9).all()


def test_upside_down_model_keeps_its_sign() -> None:
    """A model that ranks upside down has a negative PLCC after its decreasing map, as its SROCC is."""
    scores, human = sample(noise=3)
    fitted = fit_logistic(-scores, human)
    assert not fitted.increasing
    assert srocc(-scores, human) < -0.9
    assert plcc_after_logistic(fitted, -scores, human) < -0.9
    assert plcc_after_logistic(fitted, scores - 1, human) > 0


def test_failed_fit_falls_back_to_a_line_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the optimiser gives up, the least-squares line is used and the reason recorded."""
    monkeypatch.setattr(logistic, "_MAX_EVALUATIONS", 1)
    scores, human = sample(noise=5)
    fitted = fit_logistic(scores, human)
    assert not fitted.converged
    assert "no convergence" in fitted.failure
    np.testing.assert_allclose(fitted.parameters, np.polyfit(scores, human, 1), rtol=1e-9)
    assert plcc_after_logistic(fitted, scores, human) == pytest.approx(plcc(scores, human), abs=1e-12)


def test_fit_worse_than_a_line_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A curve that misses the data more than a straight line does is replaced by that line and flagged."""
    monkeypatch.setattr(logistic, "_fit_curve", lambda *_: ((1.0, 0.0, 0.0, 1.0), None))
    fitted = fit_logistic(*sample(noise=5))
    assert "straight line" in fitted.failure


def test_too_few_samples_get_a_line() -> None:
    """Four samples cannot carry four parameters; the line is used and the reason names both."""
    fitted = fit_logistic([1, 2, 3, 4], [2, 4, 6, 8])
    assert fitted.failure == "4 samples for 4 parameters"
    np.testing.assert_allclose(fitted([5.0]), [10.0])


@pytest.mark.parametrize(
    ("scores", "human"),
    [([1.0] * 9, range(9)), (range(9), [5.0] * 9), ([math.nan, *range(8)], range(9)), ([1], [1])],
)
def test_undefined_input_gives_an_undefined_map(scores, human) -> None:
    """Where a correlation is undefined so is the map: NaN, with the reason, never a made-up curve."""
    fitted = fit_logistic(scores, human)
    assert not fitted.converged
    assert fitted.failure
    assert np.isnan(fitted([1.0, 2.0, 3.0])).all()
    assert math.isnan(plcc_after_logistic(fitted, [1, 2, 3], [1, 2, 3]))


def test_misaligned_input_is_refused() -> None:
    """Scores and labels of different length raise InvalidInput."""
    with pytest.raises(InvalidInput, match="human has 2"):
        fit_logistic([1, 2, 3], [1, 2])
