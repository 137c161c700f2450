"""Eq. (3) and the two bounds of Theorem 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.statistics.anchored import Anchoring, anchored_loss, bound_corrected, bound_paper


@pytest.fixture(scope="module")
def oracle(shared):
    return np.load(shared / "oracles/theorem1_counterexamples.npz")


def case(oracle, name):
    keys = ("y", "y_tilde", "S", "L", "delta", "lam", "Delta", "eps", "E", "R", "N", "S_size", "printed", "corrected")
    return {key: oracle[f"{name}.{key}"] for key in keys}


BROKEN = [*(f"c{i:02d}" for i in range(20)), "paper"]


@pytest.mark.parametrize("name", BROKEN)
def test_the_printed_bound_is_broken_and_the_corrected_one_holds(oracle, name):
    """Twenty random batches and the paper's own numbers; constants and loss agree with the oracle."""
    c = case(oracle, name)
    assert anchored_loss(c["y"], c["y_tilde"], c["S"]) == pytest.approx(float(c["L"]), rel=1e-12)
    constants = [float(c[key]) for key in ("delta", "lam", "Delta", "eps", "R")]
    printed = bound_paper(*constants, int(c["N"]))
    corrected = bound_corrected(*constants, int(c["N"]), int(c["S_size"]))
    assert printed == pytest.approx(float(c["printed"]))
    assert corrected == pytest.approx(float(c["corrected"]))
    assert printed < float(c["E"]) <= corrected
    measured = Anchoring.of(c["y"], c["y_tilde"], c["S"])
    assert measured.error == pytest.approx(float(c["E"]))
    assert measured.conditions_hold
    assert measured.error <= measured.bound_corrected


@pytest.mark.parametrize("name", [f"z{i}" for i in range(5)])
def test_beyond_the_outermost_anchors_nothing_holds_and_it_says_so(oracle, name):
    """No order is violated, the loss is 0, the error is as large as one likes: the conditions are not met."""
    c = case(oracle, name)
    measured = Anchoring.of(c["y"], c["y_tilde"], c["S"])
    assert measured.loss == 0
    assert measured.error > measured.bound_corrected
    assert not measured.conditions_hold


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 12), st.floats(0, 8))
def test_the_corrected_bound_is_never_broken_where_its_conditions_hold(seed, anchors, attacked, damage):
    """Random labels, anchors with small errors, attacked predictions thrown about within the anchors' reach."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 5, anchors + attacked)
    predictions = y + np.where(np.arange(len(y)) < anchors, rng.normal(0, 0.05, len(y)), rng.uniform(-1, 1, len(y)) * damage)
    low, high = y[:anchors].min(), y[:anchors].max()
    predictions = np.where(np.arange(len(y)) < anchors, predictions, np.clip(predictions, low, high))
    measured = Anchoring.of(y, predictions, np.arange(anchors))
    if measured.conditions_hold:
        assert measured.error <= measured.bound_corrected * (1 + 1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 9))
def test_between_the_outermost_anchors_the_bound_always_applies(seed, anchors, attacked):
    """Labels apart from each other, predictions anywhere between the outermost anchors' labels: never vacuous."""
    rng = np.random.default_rng(seed)
    ticks = rng.permutation(np.arange(1, 400))[: anchors + attacked - 2] / 100
    y = np.concatenate(([0.0, 4.0], ticks))  # the first two are anchors, and the rest lie between them
    chosen = np.arange(anchors)
    predictions = rng.uniform(0, 4, len(y))
    predictions[chosen] = np.clip(y[chosen] + rng.normal(0, 0.02, anchors), 0, 4)
    measured = Anchoring.of(y, predictions, chosen)
    assert measured.conditions_hold
    assert measured.bound_corrected < np.inf
    assert measured.error <= measured.bound_corrected * (1 + 1e-9)


def test_random_batches_break_the_printed_bound_and_never_the_corrected_one():
    """One attacked image among even anchors, thrown as far as its neighbours' labels go: most such batches break it."""
    rng, broken, tried = np.random.default_rng(0), 0, 500
    for _ in range(tried):
        anchors = int(rng.integers(8, 33))
        y = np.append(np.arange(anchors) / 2, rng.uniform(0, (anchors - 1) / 2))
        predictions = y.copy()
        predictions[-1] = rng.choice([0.0, y[:-1].max()])
        measured = Anchoring.of(y, predictions, np.arange(anchors))
        broken += measured.error > measured.bound_paper
        assert measured.conditions_hold
        assert measured.error <= measured.bound_corrected
    assert broken > tried / 2


def test_a_perfect_order_costs_nothing_and_a_reversed_one_most():
    """Between 0 and 1, whatever the scale of labels and predictions."""
    y = np.array([1.0, 2, 3, 4, 5])
    assert anchored_loss(y, 10 * y - 3, [0, 2, 4]) == 0
    reversed_loss = anchored_loss(y, -y, [0, 2, 4])
    assert reversed_loss == pytest.approx((10 + 6 + 10) / (3 * 5 * 4))
    assert anchored_loss(100 * y, -y, [0, 2, 4]) == pytest.approx(reversed_loss)
    assert anchored_loss([2.0, 2.0], [1.0, 3.0], [0]) == 0


def test_too_few_anchors_bound_nothing():
    """One anchor, or two of one label, have no spacing."""
    for anchors, y in (([0], [1.0, 2.0]), ([0, 1], [1.0, 1.0, 2.0])):
        measured = Anchoring.of(y, y, anchors)
        assert measured.bound_corrected == np.inf
        assert not measured.conditions_hold
