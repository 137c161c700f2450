"""Pairwise differences of SROCC: Holm's correction, the paper's rule, and ties as letters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    Bootstrapped,
    Resamples,
    bootstrap_sroccs,
    holm,
    p_value,
    paired_difference,
    pairwise,
    tie_letters,
)

RNG = np.random.default_rng(11)
REFERENCES = np.repeat(np.arange(40), 8)
HUMAN = RNG.normal(size=320)
RESAMPLES = Resamples.draw(REFERENCES, replicates=400)


def models(*noise):
    rng = np.random.default_rng(5)
    return bootstrap_sroccs(RESAMPLES, HUMAN, [HUMAN + s * rng.normal(size=320) for s in noise])


def test_the_matrix_holds_paired_differences_in_the_papers_order():
    """The lower triangle row by row; the effect size is the median of the replicates."""
    found = models(2.0, 1.0, 0.2)
    pairs = pairwise(found)
    assert [(pair.row, pair.column) for pair in pairs] == [(1, 0), (2, 0), (2, 1)]
    for pair in pairs:
        assert pair.difference == paired_difference(found[pair.row], found[pair.column])
        values = found[pair.row].values - found[pair.column].values
        assert pair.difference.median == pytest.approx(np.median(values))
        assert pair.separable
        assert pair.significant_in_paper


def test_the_papers_rule_needs_a_hundredth_and_holm_does_not():
    """A tiny difference that every resample shows is separable; the paper's own rule calls it insignificant."""
    values = 0.5 + 0.01 * RNG.normal(size=400)
    better = Bootstrapped(0.503, values + 0.003 + 1e-5 * RNG.normal(size=400), RESAMPLES)
    (pair,) = pairwise([Bootstrapped(0.5, values, RESAMPLES), better])
    assert pair.separable
    assert not pair.significant_in_paper


def test_many_equal_models_are_seldom_told_apart():
    """Under no difference Holm keeps the chance of any claim near 5 %, and the paper's rule does not."""
    claims = {"holm": 0, "uncorrected": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        human = rng.normal(size=200)
        resamples = Resamples.draw(np.arange(200), mode="iid", seed=seed, replicates=200)
        equal = bootstrap_sroccs(resamples, human, [human + rng.normal(size=200) for _ in range(6)])
        pairs = pairwise(equal)
        claims["holm"] += any(pair.separable for pair in pairs)
        claims["uncorrected"] += any(pair.difference.verdict != "not separable" for pair in pairs)
    assert claims["holm"] <= 8
    assert claims["uncorrected"] > 15


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=8))
def test_holm_is_monotone_bounded_and_skips_what_is_undefined(p):
    """Never below the raw value, in the same order, and NaN neither counts nor becomes a number."""
    raw, corrected = np.array(p), holm(p)
    defined = ~np.isnan(raw)
    assert (np.isnan(corrected) == ~defined).all()
    assert (corrected[defined] >= raw[defined]).all()
    assert (corrected[defined] <= 1).all()
    order = np.argsort(raw[defined], kind="stable")
    assert (np.diff(corrected[defined][order]) >= 0).all()
    if defined.any():
        smallest = raw[defined].min()
        assert corrected[defined].min() == min(1, smallest * defined.sum())


def test_holm_by_hand():
    """The example of Holm's procedure that textbooks show."""
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_p_is_that_of_a_normal_difference():
    """Against scipy, and where nothing varies."""
    values = 0.1 + 0.05 * RNG.normal(size=5000)
    expected = 2 * stats.norm.sf(0.1 / values.std(ddof=1))
    assert p_value(Bootstrapped(0.1, values, RESAMPLES)) == pytest.approx(expected)
    assert p_value(Bootstrapped(0.0, np.zeros(9), RESAMPLES)) == 1
    assert p_value(Bootstrapped(0.2, np.full(9, 0.2), RESAMPLES)) == 0
    assert math.isnan(p_value(Bootstrapped(math.nan, np.full(9, math.nan), RESAMPLES)))


def test_ties_share_letters():
    """Two good models that cannot be told apart, one poor; a constant one gets no letter."""
    rng = np.random.default_rng(2)
    good = HUMAN + 0.5 * rng.normal(size=320)
    scores = [HUMAN + 3 * rng.normal(size=320), good, good + 0.01 * rng.normal(size=320), np.ones(320)]
    found = bootstrap_sroccs(RESAMPLES, HUMAN, scores)
    assert tie_letters([m.estimate for m in found], pairwise(found)) == ["b", "a", "a", ""]


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] > p[1])), st.permutations(range(6)))
def test_models_share_a_letter_exactly_where_they_cannot_be_separated(apart, order):
    """Whatever is separable from what, transitive or not; the best model has the letter a."""

    class Known:
        def __init__(self, row, column):
            self.row, self.column, self.separable = row, column, (row, column) in apart

    pairs = [Known(row, column) for row in range(6) for column in range(row)]
    letters = tie_letters(order, pairs)
    for pair in pairs:
        assert bool(set(letters[pair.row]) & set(letters[pair.column])) == (not pair.separable)
    assert "a" in letters[order.index(5)]


def test_few_references_leave_everything_tied():
    """Below 20 references no claim is made, so that all share a letter."""
    resamples = Resamples.draw(REFERENCES % 10, replicates=100)
    rng = np.random.default_rng(0)
    found = bootstrap_sroccs(resamples, HUMAN, [HUMAN, HUMAN + 9 * rng.normal(size=320)])
    assert tie_letters([m.estimate for m in found], pairwise(found)) == ["a", "a"]


def test_unpaired_models_are_refused():
    """Other resamples are another table."""
    other = bootstrap_sroccs(Resamples.draw(REFERENCES, seed=1, replicates=400), HUMAN, [HUMAN])
    with pytest.raises(InvalidInput, match="same resamples"):
        pairwise([*models(1.0), *other])
