"""Maps to one domain: the exact map is the quantile map, monotone in and out of sample, and forgets no successful attack."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import fit_map

RNG = np.random.default_rng(7)
CLEAN = RNG.beta(2, 5, 200) * 40 - 3
HUMAN = 1 + 4 * RNG.beta(5, 2, 200)


def unit(values):
    return (values - values.min()) / np.ptp(values)


def numpy_quantile_map(x, y):
    """By numpy alone: each x, at its share of the ranks, goes to the mean of the quantiles of y over its mass."""
    grid = np.lcm(x.size, y.size)
    quantiles = np.quantile(y, (np.arange(grid) + 0.5) / grid, method="inverted_cdf")
    images = quantiles.reshape(x.size, -1).mean(1)[rankdata(x, method="ordinal") - 1]
    return np.array([images[x == value].mean() for value in x])


@pytest.mark.parametrize("size", [200, 120, 300])
def test_the_exact_map_is_the_quantile_map(size):
    """For as many, fewer and more targets than scores, against a computation that knows nothing of transport."""
    target = RNG.beta(0.5, 2, size)
    np.testing.assert_allclose(fit_map(CLEAN, target)(CLEAN), numpy_quantile_map(CLEAN, unit(target)), atol=1e-12)


def test_tied_scores_share_the_mean_of_their_quantiles():
    """A saturated metric: midranks, not an arbitrary order."""
    saturated = np.minimum(CLEAN, np.median(CLEAN))
    mapped = fit_map(saturated, HUMAN)(saturated)
    np.testing.assert_allclose(mapped, numpy_quantile_map(saturated, unit(HUMAN)), atol=1e-12)
    assert np.unique(mapped[saturated == saturated.max()]).size == 1


def test_equally_many_scores_and_targets_are_matched_in_order():
    """The calibration scores get exactly the distribution of the target."""
    np.testing.assert_allclose(np.sort(fit_map(CLEAN, HUMAN)(CLEAN)), np.sort(unit(HUMAN)), atol=1e-12)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), n=st.integers(50, 90), m=st.integers(50, 90), digits=st.integers(1, 6))
def test_the_map_never_falls_and_keeps_ranks(seed, n, m, digits):
    """Within and beyond the calibration scores, with ties on both sides: SROCC cannot change its sign or order."""
    rng = np.random.default_rng(seed)
    clean, target = rng.normal(size=n).round(digits), rng.gamma(1, size=m).round(digits)
    found = fit_map(clean, target)
    points = np.sort(rng.uniform(clean.min() - 3, clean.max() + 3, 300))
    assert (np.diff(found(points)) >= 0).all()
    assert found.slope > 0
    assert spearmanr(clean, found(clean)).statistic > 0.99 or np.unique(target).size < m


def test_attacked_scores_beyond_the_range_are_not_clipped():
    """The tails are linear, as steep as the map on average, and continuous; their share is told."""
    found = fit_map(CLEAN, HUMAN)
    width = np.ptp(CLEAN)
    top, bottom = CLEAN.max(), CLEAN.min()
    above = found(np.array([top, top + width, top + 2 * width]))
    np.testing.assert_allclose(np.diff(above), [1, 1], atol=1e-12)
    assert found(np.array([bottom - width]))[0] == pytest.approx(-1)
    assert found(np.array([top + 1e-9]))[0] == pytest.approx(found(np.array([top]))[0], abs=1e-6)
    assert found.outside(np.array([bottom, top, top + 1, bottom - 1, np.nan])) == 0.5


@pytest.mark.parametrize(("n", "m"), [(49, 200), (200, 49), (3, 3)])
def test_few_samples_get_the_affine_map(n, m):
    """Mean and deviation are matched, as by POT's LinearTransport between normal distributions."""
    from ot.da import LinearTransport

    clean, target = CLEAN[:n], unit(HUMAN[:m])
    found = fit_map(clean, target)
    peer = LinearTransport(reg=0).fit(Xs=unit(clean)[:, None], Xt=target[:, None])
    assert found.kind == "affine"
    mapped = found(clean)
    np.testing.assert_allclose(mapped, peer.transform(Xs=unit(clean)[:, None])[:, 0], atol=1e-9)
    assert (mapped.mean(), mapped.std()) == pytest.approx((target.mean(), target.std()))
    assert fit_map(CLEAN[:50], HUMAN[:50]).kind == "ot"


def test_domains_and_targets():
    """min-max ignores the target; no target is the uniform distribution."""
    np.testing.assert_allclose(fit_map(CLEAN, HUMAN, "minmax")(CLEAN), unit(CLEAN))
    uniform = fit_map(CLEAN)(CLEAN)
    np.testing.assert_allclose(np.sort(uniform), unit(np.arange(200)) * 199 / 200 + 0.5 / 200, atol=1e-12)


def test_a_change_of_unit_changes_nothing():
    """Scores in other units, increasing and affine, are mapped to the same places."""
    np.testing.assert_allclose(fit_map(CLEAN * 9 + 4, HUMAN)(CLEAN * 9 + 4), fit_map(CLEAN, HUMAN)(CLEAN), atol=1e-12)


def test_the_neural_map_agrees_with_the_exact_one():
    """Trained on the dual objective alone: on average within 0.02 of [0, 1], rising, the same for the same seed."""
    exact, neural = fit_map(CLEAN, HUMAN), fit_map(CLEAN, HUMAN, "neural")
    assert np.abs(exact(CLEAN) - neural(CLEAN)).mean() < 0.02
    assert (np.diff(neural(np.linspace(CLEAN.min() - 5, CLEAN.max() + 5, 500))) >= 0).all()
    np.testing.assert_array_equal(neural.values, fit_map(CLEAN, HUMAN, "neural").values)
    assert neural.kind == "neural"


def test_statistics_need_neither_torch_nor_pot_to_be_imported():
    """They are imported when a map is fitted."""
    code = "import sys, robustiqa.statistics as s; s.fit_map([1, 2, 3], None, 'minmax'); print({'torch', 'ot'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize(
    ("clean", "target", "domain", "message"),
    [
        ([1.0] * 60, None, "ot", "do not differ"),
        ([1.0, np.nan], None, "ot", "clean"),
        ([1.0, 2.0], [3.0, 3.0], "ot", "target"),
        ([1.0, 2.0], None, "sinkhorn", "'sinkhorn'.*minmax, ot, neural"),
    ],
)
def test_what_spans_no_domain_is_refused(clean, target, domain, message):
    """Constant or missing scores and unknown domains raise InvalidInput."""
    with pytest.raises(InvalidInput, match=message):
        fit_map(clean, target, domain)
