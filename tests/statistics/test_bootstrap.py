"""Bootstrap intervals: exact replicates, honest flags, and verdicts that need a paired interval."""

import itertools
import math
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    DEGENERATE_REPLICATES,
    FEW_CLUSTERS,
    UNDEFINED,
    Interval,
    Resamples,
    bootstrap,
    bootstrap_mean,
    bootstrap_srocc,
    interval,
    krocc,
    paired_difference,
    srocc,
)

MODES = ("iid", "cluster")


@pytest.fixture
def oracle(shared: Path):
    return np.load(shared / "oracles" / "statistics_oracle.npz")


def bounds(result: Interval) -> tuple[float, float]:
    return result.lo, result.hi


def correlated(seed: int, references: int, per_reference: int, between: float) -> tuple[np.ndarray, np.ndarray]:
    """Reference of every value, and values whose references differ by ``between``."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(references), per_reference)
    return labels, between * rng.normal(size=references)[labels] + rng.normal(size=labels.size)


@pytest.mark.parametrize("mode", MODES)
def test_every_replicate_and_interval_is_reproduced(oracle, mode) -> None:
    """All 4 x 1000 replicates, their intervals and the paired differences equal the stored ones."""
    resamples = Resamples.draw(oracle["groups"], mode=mode, seed=0)
    rows = [bootstrap_srocc(resamples, oracle["mos"], column) for column in oracle["metrics"].T]
    np.testing.assert_allclose(np.transpose([r.values for r in rows]), oracle[f"{mode}.srocc"], atol=1e-14)
    np.testing.assert_allclose([r.estimate for r in rows], oracle["spearman"], rtol=0, atol=1e-14)
    np.testing.assert_allclose([bounds(r.interval()) for r in rows], oracle[f"{mode}.srocc_ci95"], atol=1e-14)
    deltas = [paired_difference(a, b) for a, b in itertools.combinations(rows, 2)]
    np.testing.assert_allclose([d.estimate for d in deltas], oracle["delta_point"], rtol=0, atol=1e-14)
    np.testing.assert_allclose([bounds(d) for d in deltas], oracle[f"{mode}.delta_ci95"], atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
@given(
    samples=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(-3, 3)), min_size=3, max_size=25),
    seed=st.integers(0, 2**32),
)
def test_vectorised_srocc_is_scipys(mode, samples, seed) -> None:
    """With heavy ties, every replicate equals scipy's on the same indices, or is undefined like it."""
    references, human, scores = np.array(samples).T
    resamples = Resamples.draw(references, mode=mode, seed=seed, replicates=8)
    fast = bootstrap_srocc(resamples, human, scores)
    assume(not math.isnan(fast.estimate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        drawn = [resamples.indices(replicate) for replicate in range(8)]
        slow = [stats.spearmanr(human[i], scores[i]).statistic if len(i) >= 3 else math.nan for i in drawn]
    np.testing.assert_allclose(fast.values, slow, rtol=0, atol=1e-12)


def test_resamples_of_two_samples_are_undefined() -> None:
    """The rule of at least 3 samples holds in every replicate of a restriction, as it does for ``srocc``."""
    resamples = Resamples.draw(np.arange(12), replicates=300).restrict(np.arange(12) < 4)
    human, scores = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])
    fast = bootstrap_srocc(resamples, human, scores)
    slow = bootstrap(resamples, lambda i: srocc(human[i], scores[i]))
    assert any(np.unique(resamples.indices(b)).size == resamples.indices(b).size == 2 for b in range(300))
    np.testing.assert_allclose(fast.values, slow.values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_fast_and_general_paths_agree(mode) -> None:
    """The mean and SROCC of the fast path equal those of ``bootstrap`` on explicit indices."""
    labels, values = correlated(0, 25, 4, between=1.0)
    other = values + np.random.default_rng(1).normal(size=values.size)
    resamples = Resamples.draw(labels, mode=mode, replicates=50)
    mean, general_mean = bootstrap_mean(resamples, values), bootstrap(resamples, lambda i: values[i].mean())
    rank = bootstrap_srocc(resamples, values, other)
    general_rank = bootstrap(resamples, lambda i: srocc(values[i], other[i]))
    np.testing.assert_allclose(mean.values, general_mean.values, rtol=0, atol=1e-13)
    np.testing.assert_allclose(rank.values, general_rank.values, rtol=0, atol=1e-13)
    assert mean.estimate == general_mean.estimate
    assert rank.estimate == general_rank.estimate


def test_any_statistic_can_be_bootstrapped() -> None:
    """KROCC goes through the general path and gets an interval around its estimate."""
    labels, human = correlated(2, 30, 3, between=0.5)
    scores = human + np.random.default_rng(3).normal(size=human.size)
    resamples = Resamples.draw(labels, replicates=200)
    result = bootstrap(resamples, lambda i: krocc(human[i], scores[i])).interval()
    assert result.lo < result.estimate == krocc(human, scores) < result.hi


def test_clusters_widen_the_interval_where_references_differ() -> None:
    """Where samples of a reference move together, the clustered interval of a mean is the wider one."""
    labels, values = correlated(4, 40, 25, between=1.0)
    widths = {}
    for mode in MODES:
        lo, hi = bounds(bootstrap_mean(Resamples.draw(labels, mode=mode), values).interval())
        widths[mode] = hi - lo
    # Design effect sqrt(1 + 24 * 0.5) = 3.6 for an intra-class correlation of 0.5.
    assert 2.5 < widths["cluster"] / widths["iid"] < 4.5


def test_cluster_interval_covers_the_truth() -> None:
    """Over 200 data sets the clustered interval of a mean covers 0 as often as it says; i.i.d. does not."""
    covered = dict.fromkeys(MODES, 0)
    for seed in range(200):
        labels, values = correlated(seed, 40, 8, between=1.0)
        for mode in MODES:
            resamples = Resamples.draw(labels, mode=mode, seed=seed, replicates=200)
            lo, hi = bounds(bootstrap_mean(resamples, values).interval())
            covered[mode] += lo <= 0 <= hi
    assert 178 <= covered["cluster"] <= 200
    assert covered["iid"] < 150


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), lost=st.integers(0, 20))
def test_interval_is_ordered_and_counts_what_it_dropped(values, lost) -> None:
    """lo <= hi within the values, numpy's to the last bit, and NaN replicates are counted and change no number."""
    clean = interval(0.0, values, few_clusters=False)
    result = interval(0.0, [math.nan] * lost + values, few_clusters=False)
    assert min(values) <= result.lo <= result.hi <= max(values)
    assert bounds(result) == bounds(clean)
    assert [result.lo, result.median, result.hi] == np.percentile(values, [2.5, 50, 97.5]).tolist()
    assert result.replicates - result.replicates_used == lost
    assert (DEGENERATE_REPLICATES in result.flags) == (lost > 0)


def test_degenerate_replicates_are_dropped_and_flagged() -> None:
    """Scores that differ in one reference only are constant in some resamples; those are counted."""
    labels, human = correlated(5, 25, 4, between=1.0)
    scores = np.where(labels == 0, human, 0.0)
    result = bootstrap_srocc(Resamples.draw(labels), human, scores).interval()
    assert DEGENERATE_REPLICATES in result.flags
    # (24/25)^25 = 36 % of the resamples miss the reference.
    assert 0.55 < result.replicates_used / result.replicates < 0.73
    assert math.isfinite(result.lo)
    assert not result.claimable


@pytest.mark.parametrize("scores", [[1.0] * 40, [math.nan] + [1.0, 2.0, 3.0] * 13])
def test_undefined_statistics_are_flagged(scores) -> None:
    """A constant or non-finite metric has no interval and no claim, alone or in a difference, only a flag."""
    resamples = Resamples.draw(np.arange(40))
    bad = bootstrap_srocc(resamples, np.arange(40), scores)
    good = bootstrap_srocc(resamples, np.arange(40), np.arange(40) ** 2)
    for result in (bad.interval(), paired_difference(good, bad), paired_difference(bad, good)):
        assert result.flags == (UNDEFINED,)
        assert math.isnan(result.estimate)
        assert math.isnan(result.lo)
        assert math.isnan(result.hi)
        assert result.replicates_used == 0
        assert result.verdict == "not separable"


def test_one_failed_sample_makes_a_mean_undefined() -> None:
    """A non-finite gain is not skipped in silence; restricted to the valid samples, the mean is defined."""
    values = np.array([math.inf, *range(39)])
    resamples = Resamples.draw(np.arange(40))
    assert UNDEFINED in bootstrap_mean(resamples, values).interval().flags
    valid = np.isfinite(values)
    result = bootstrap_mean(resamples.restrict(valid), values[valid]).interval()
    assert result.flags == ()
    assert result.lo < result.estimate == 19.0 < result.hi


def test_empty_resamples_of_a_restriction_are_dropped() -> None:
    """A cluster resample without any remaining sample has no mean and is counted as dropped."""
    resamples = Resamples.draw(np.arange(30), replicates=500).restrict(np.arange(30) == 7)
    result = bootstrap_mean(resamples, [5.0]).interval()
    assert bounds(result) == (5.0, 5.0)
    assert 250 < result.replicates_used < 400
    assert set(result.flags) == {FEW_CLUSTERS, DEGENERATE_REPLICATES}


@pytest.mark.parametrize(("references", "verdict"), [(19, "not separable"), (20, "above")])
def test_few_references_allow_no_claim(references, verdict) -> None:
    """The same clear difference is claimed with 20 references and not with 19, in either mode."""
    labels, human = correlated(6, references, 10, between=0.3)
    noise = np.random.default_rng(7).normal(size=(2, human.size))
    for mode in MODES:
        resamples = Resamples.draw(labels, mode=mode)
        good, poor = (bootstrap_srocc(resamples, human, human + s * n) for s, n in zip((0.2, 3), noise, strict=True))
        difference = paired_difference(good, poor)
        assert difference.lo > 0
        assert (FEW_CLUSTERS in difference.flags) == (references < 20)
        assert difference.verdict == verdict


def test_verdict_follows_the_sign_of_the_difference() -> None:
    """Swapping the sides mirrors the interval and the verdict; a metric is not separable from itself."""
    labels, human = correlated(8, 30, 5, between=0.3)
    resamples = Resamples.draw(labels)
    good = bootstrap_srocc(resamples, human, human)
    poor = bootstrap_srocc(resamples, human, np.random.default_rng(9).normal(size=human.size))
    above, below = paired_difference(good, poor), paired_difference(poor, good)
    assert (above.verdict, below.verdict) == ("above", "below")
    assert bounds(below) == pytest.approx((-above.hi, -above.lo), abs=1e-12)
    assert paired_difference(good, good).verdict == "not separable"


def test_pairing_separates_what_single_intervals_do_not() -> None:
    """Two metrics with overlapping intervals are told apart when one is better on every resample."""
    labels, human = correlated(10, 25, 6, between=2.0)
    rng = np.random.default_rng(11)
    good = human + 2 * rng.normal(size=human.size)
    slightly_worse = good + 0.8 * rng.normal(size=human.size)
    resamples = Resamples.draw(labels)
    first, second = (bootstrap_srocc(resamples, human, scores) for scores in (good, slightly_worse))
    assert first.interval().lo < second.interval().hi
    assert paired_difference(first, second).verdict == "above"


@pytest.mark.parametrize(("lost", "claimable"), [(0, True), (25, True), (26, False)])
def test_too_many_dropped_replicates_allow_no_claim(lost, claimable) -> None:
    """A claim survives at most as many dropped replicates as one tail of the interval holds."""
    values = np.r_[np.full(lost, math.nan), np.full(1000 - lost, 0.5)]
    assert interval(0.5, values, few_clusters=False).claimable == claimable


def test_unpaired_rows_are_not_compared() -> None:
    """Rows from different draws raise InvalidInput; rows from equal draws, made twice, are compared."""
    human = np.arange(30.0)
    first, same, other = (bootstrap_srocc(Resamples.draw(range(30), seed=seed), human, human) for seed in (0, 0, 1))
    assert paired_difference(first, same).estimate == 0
    with pytest.raises(InvalidInput, match="same resamples"):
        paired_difference(first, other)


@pytest.mark.parametrize(
    "call",
    [
        lambda resamples: bootstrap_srocc(resamples, [1, 2], [1, 2]),
        lambda resamples: bootstrap_mean(resamples, [1, 2]),
        lambda _: interval(0.0, [], few_clusters=False),
    ],
)
def test_misaligned_input_is_refused(call) -> None:
    """Samples that do not belong to the resamples, and no replicates at all, raise InvalidInput."""
    with pytest.raises(InvalidInput):
        call(Resamples.draw(range(3)))


def test_fast_enough_for_a_table() -> None:
    """1000 resamples of 500 samples for 10 metrics stay far below the 2 s that a table may take."""
    rng = np.random.default_rng(0)
    human, scores = rng.normal(size=500).round(1), rng.normal(size=(10, 500)).round(1)
    start = time.process_time()
    resamples = Resamples.draw(np.repeat(np.arange(25), 20))
    for row in scores:
        bootstrap_srocc(resamples, human, row)
    assert time.process_time() - start < 2.0
