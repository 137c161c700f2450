"""BCa intervals: scipy's, from the same replicates, for single samples and for references."""

import types

import numpy as np
import pytest
from scipy import stats

from robustiqa.statistics import BCA_UNDEFINED, Resamples, bca_interval, bootstrap_srocc, jackknife_srocc, srocc

RNG = np.random.default_rng(1)
GROUPS = np.repeat(np.arange(25), 4)
HUMAN = RNG.normal(size=100).round(1)
SCORES = (HUMAN + 0.4 * RNG.normal(size=100)).round(1)


@pytest.mark.parametrize("mode", ["iid", "cluster"])
def test_the_interval_is_scipys(mode):
    """scipy's BCa over units, given our replicates; the clustered bootstrap is the i.i.d. one of references."""
    resamples = Resamples.draw(GROUPS, mode=mode, replicates=500)
    boot = bootstrap_srocc(resamples, HUMAN, SCORES)
    units = np.arange(100 if mode == "iid" else 25)
    members = [np.flatnonzero(resamples.unit_of == unit) for unit in units]

    def statistic(chosen):
        index = np.concatenate([members[int(i)] for i in chosen])
        return srocc(HUMAN[index], SCORES[index])

    earlier = types.SimpleNamespace(bootstrap_distribution=boot.values)
    peer = stats.bootstrap((units,), statistic, n_resamples=0, bootstrap_result=earlier, method="BCa", vectorized=False)
    found = bca_interval(boot, jackknife_srocc(resamples, HUMAN, SCORES))
    assert (found.lo, found.hi) == pytest.approx(tuple(peer.confidence_interval), abs=1e-12)
    assert (found.lo, found.hi) != (boot.interval().lo, boot.interval().hi)
    assert found.estimate == boot.estimate


def test_the_jackknife_leaves_out_references():
    """By hand; a reference that a restriction removed is not left out again."""
    resamples = Resamples.draw(GROUPS, replicates=2)
    expected = [srocc(HUMAN[unit != GROUPS], SCORES[unit != GROUPS]) for unit in range(25)]
    np.testing.assert_allclose(jackknife_srocc(resamples, HUMAN, SCORES), expected, atol=1e-14)
    keep = GROUPS != 3
    assert jackknife_srocc(resamples.restrict(keep), HUMAN[keep], SCORES[keep]).size == 24


def test_without_variation_the_percentile_interval_stands_and_is_flagged():
    """A perfect model has no acceleration; a constant one no interval at all."""
    resamples = Resamples.draw(GROUPS, replicates=50)
    for scores in (HUMAN, np.ones(100)):
        boot = bootstrap_srocc(resamples, HUMAN, scores)
        found = bca_interval(boot, jackknife_srocc(resamples, HUMAN, scores))
        assert BCA_UNDEFINED in found.flags
        assert np.array_equal([found.lo, found.hi], [boot.interval().lo, boot.interval().hi], equal_nan=True)
