"""SROCC within type: blind to differences between types, honest about types it cannot rank."""

import math

import numpy as np
import pytest

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import (
    DEGENERATE_REPLICATES,
    UNDEFINED,
    Resamples,
    bootstrap,
    bootstrap_srocc_within_type,
    srocc,
    srocc_within_type,
)


def data_set(seed: int = 0) -> tuple[np.ndarray, ...]:
    """30 references x 3 types x 4 levels: reference, type, level and noise of every sample."""
    reference, kind, level = (axis.ravel() for axis in np.indices((30, 3, 4)))
    return (
        reference,
        np.array(["blur", "jpeg", "noise"])[kind],
        level,
        np.random.default_rng(seed).normal(size=360),
    )


def test_is_the_srocc_of_each_type() -> None:
    """Every entry is the SROCC of that type's samples, the mean is theirs, and types are sorted."""
    human, scores = [1, 2, 3, 1, 2, 3, 4], [1, 2, 3, 3, 1, 2, 0]
    types = ["jpeg"] * 3 + ["blur"] * 4
    table = srocc_within_type(human, scores, types)
    assert list(table.per_type) == ["blur", "jpeg"]
    assert table.per_type["jpeg"] == pytest.approx(1)
    assert table.per_type["blur"] == pytest.approx(-0.8)
    assert table.mean == pytest.approx(0.1)
    assert table.undefined == ()


def test_knowing_the_type_is_worth_nothing() -> None:
    """A model that knows only which type is worse has a high pooled SROCC and none within type."""
    _, types, level, noise = data_set()
    worse = np.unique(types, return_inverse=True)[1]
    human, scores = 10 * worse + level, worse + 1e-6 * noise
    assert srocc(human, scores) > 0.85
    assert abs(srocc_within_type(human, scores, types).mean) < 0.15


def test_undefined_types_are_named_and_left_out() -> None:
    """A constant and a tiny type are NaN in the table, named, and not part of the mean."""
    table = srocc_within_type([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 9, 9, 9, 1], [0, 0, 0, 1, 1, 1, 2])
    assert table.mean == table.per_type["0"] == pytest.approx(1)
    assert table.undefined == ("1", "2")


def test_without_any_defined_type_the_mean_is_undefined() -> None:
    """Where no type can be ranked the mean is NaN, and its bootstrap is flagged."""
    human, scores, types = [1, 2, 3, 4], [1, 2, 3, 4], ["a", "a", "b", "b"]
    assert math.isnan(srocc_within_type(human, scores, types).mean)
    result = bootstrap_srocc_within_type(Resamples.draw(range(4)), human, scores, types).interval()
    assert UNDEFINED in result.flags


@pytest.mark.parametrize("mode", ["cluster", "iid"])
def test_bootstrap_equals_resampling_by_hand(mode) -> None:
    """Every replicate is the mean within-type SROCC of the resampled samples."""
    references, types, level, noise = data_set()
    scores = level + noise
    resamples = Resamples.draw(references, mode=mode, replicates=20)
    fast = bootstrap_srocc_within_type(resamples, level, scores, types)
    slow = bootstrap(resamples, lambda i: srocc_within_type(level[i], scores[i], types[i]).mean)
    np.testing.assert_allclose(fast.values, slow.values, rtol=0, atol=1e-13)
    assert fast.estimate == slow.estimate == srocc_within_type(level, scores, types).mean
    assert fast.interval().lo < fast.estimate < fast.interval().hi


def test_replicates_that_lose_a_type_are_dropped() -> None:
    """A type that lives in one reference is missing from some resamples; those are dropped and counted."""
    references, types, level, noise = data_set()
    types = np.where((types == "noise") & (references > 0), "jpeg", types)
    result = bootstrap_srocc_within_type(Resamples.draw(references), level, level + noise, types).interval()
    assert DEGENERATE_REPLICATES in result.flags
    assert 0.5 < result.replicates_used / result.replicates < 0.75


def test_misaligned_types_are_refused() -> None:
    """Types of another length, or missing ones, raise InvalidInput."""
    with pytest.raises(InvalidInput, match="types"):
        srocc_within_type([1, 2, 3], [1, 2, 3], ["a", "b"])
    with pytest.raises(InvalidInput, match="types"):
        srocc_within_type([1, 2, 3], [1, 2, 3], ["a", "b", None])
