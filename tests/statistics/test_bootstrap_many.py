"""Several models at once: the same replicates as one by one, and as the loop over scipy, whatever ties there are."""

import warnings

import numpy as np
import pytest
from scipy import stats

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import Resamples, bootstrap_srocc, bootstrap_sroccs

RNG = np.random.default_rng(0)
N = 700
REFERENCES = np.repeat(np.arange(35), 20)
HUMAN = RNG.normal(size=N)
SCORES = [HUMAN + RNG.normal(size=N), (HUMAN + RNG.normal(size=N)).round(1), np.sign(HUMAN), np.ones(N), HUMAN]


@pytest.mark.parametrize("mode", ["cluster", "iid"])
@pytest.mark.parametrize("human", [HUMAN, HUMAN.round(1)], ids=["distinct", "tied"])
def test_all_at_once_is_the_slow_loop(mode, human):
    """Untied, tied, binary, constant and perfect scores against tied and untied labels, replicate by replicate."""
    resamples = Resamples.draw(REFERENCES, mode=mode, replicates=12)
    drawn = [resamples.indices(replicate) for replicate in range(12)]
    for fast, scores in zip(bootstrap_sroccs(resamples, human, SCORES), SCORES, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.ConstantInputWarning)
            slow = [stats.spearmanr(human[index], scores[index]).statistic for index in drawn]
        np.testing.assert_allclose(fast.values, slow, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(fast.values, bootstrap_srocc(resamples, human, scores).values)


def test_large_samples_stay_exact():
    """A perfect and a reversed ranking of 40,000 images have 1 and -1 in every resample, to the last bit."""
    human = RNG.normal(size=40_000)
    resamples = Resamples.draw(range(40_000), mode="iid", replicates=3)
    perfect, reverse = bootstrap_sroccs(resamples, human, [human * 2, -human])
    assert perfect.values.tolist() == [1.0] * 3
    assert reverse.values.tolist() == [-1.0] * 3


def test_other_lengths_are_refused_and_none_is_no_error():
    """Every model must have a score of every sample."""
    resamples = Resamples.draw(REFERENCES, replicates=2)
    assert bootstrap_sroccs(resamples, HUMAN, []) == []
    with pytest.raises(InvalidInput, match="699"):
        bootstrap_sroccs(resamples, HUMAN, [HUMAN, HUMAN[1:]])


def test_the_median_of_the_replicates_is_told():
    """The paper's effect size, beside the estimate."""
    boot = bootstrap_srocc(Resamples.draw(REFERENCES, replicates=101), HUMAN, SCORES[0])
    assert boot.interval().median == np.median(boot.values)
