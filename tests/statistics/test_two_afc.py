"""2AFC scores against their definitions, one triplet at a time, and their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    Resamples,
    TwoAFC,
    bootstrap_krocc,
    bootstrap_plcc,
    flip_rate,
    majority_accuracy,
    soft_score,
)

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30)


def credit(h, q0, q1):
    """LPIPS' rule in its own words, on distances."""
    d0, d1 = -q0, -q1
    return (d0 < d1) * (1 - h) + (d1 < d0) * h + 0.5 * (d0 == d1)


@given(ROWS)
def test_scores_follow_their_definitions(rows):
    """Soft score of all; majority without h of one half, ties counting half."""
    h, q0, q1 = map(np.array, zip(*rows, strict=True))
    choice, draws = TwoAFC.of(h, q0, q1), Resamples.draw(range(len(rows)), replicates=3)
    assert soft_score(choice, draws).estimate == pytest.approx(np.mean([credit(*row) for row in rows]))
    decided = [(a > 0.5, x, y) for a, x, y in rows if a != 0.5]
    majority = majority_accuracy(choice, draws)
    if decided:
        wins = [0.5 if x == y else float((y > x) == for_p1) for for_p1, x, y in decided]
        assert majority.estimate == pytest.approx(np.mean(wins))
    else:
        assert majority is None


def test_flip_rate_counts_among_the_clean_correct_only():
    """Four decided triplets, three right; one of them turned, one tied; a wrong one made right does not count."""
    h = [1, 1, 0, 0, 0.5]
    clean = TwoAFC.of(h, [0, 0, 1, 0, 1], [1, 1, 0, 1, 0])
    attacked = TwoAFC.of(h, [0, 2, 0, 1, 0], [1, 1, 0, 0, 1])
    draws = Resamples.draw(range(5), replicates=50)
    flips = flip_rate(clean, attacked, draws)
    assert flips.estimate == pytest.approx(2 / 3)
    assert 0 <= flips.interval().lo <= flips.interval().hi <= 1
    assert flip_rate(TwoAFC.of([1.0], [1], [0]), TwoAFC.of([1.0], [1], [0]), Resamples.draw([0])) is None
    with pytest.raises(InvalidInput, match="align"):
        flip_rate(clean, TwoAFC.of([1, 1, 0, 0, 1], [0] * 5, [1] * 5), draws)


@pytest.mark.parametrize(("h", "q0"), [([1.2], [0]), ([0.5, 1], [0]), ([np.nan], [0]), ([1], [np.inf])])
def test_other_input_is_refused(h, q0):
    """Shares out of [0, 1], other lengths, values that are not finite."""
    with pytest.raises(InvalidInput):
        TwoAFC.of(h, q0, [1])


def test_intervals_of_plcc_and_krocc_are_those_of_resampling_by_hand():
    """Every replicate equals scipy's coefficient of the drawn samples."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=40)
    x = y + rng.normal(size=40)
    draws = Resamples.draw(np.arange(40) // 4, replicates=25)
    plccs, kroccs = bootstrap_plcc(draws, y, x), bootstrap_krocc(draws, y, x)
    for k in range(25):
        index = draws.indices(k)
        assert plccs.values[k] == pytest.approx(pearsonr(y[index], x[index]).statistic)
        assert kroccs.values[k] == pytest.approx(kendalltau(y[index], x[index]).statistic)
    assert plccs.estimate == pytest.approx(pearsonr(y, x).statistic)
    assert np.isnan(bootstrap_plcc(draws, y, np.ones(40)).estimate)
