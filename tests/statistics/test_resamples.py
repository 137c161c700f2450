"""Resamples: the documented drawing order, whole references, restriction and pairing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import Resamples
from robustiqa.statistics import resamples as resamples_module

reference_ids = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30)
modes = st.sampled_from(["cluster", "iid"])


@pytest.mark.parametrize("mode", ["iid", "cluster"])
def test_draws_in_the_documented_order(shared: Path, mode) -> None:
    """The first resamples hold the stored indices in the stored order."""
    oracle = np.load(shared / "oracles" / "statistics_oracle.npz")
    resamples = Resamples.draw(oracle["groups"], mode=mode, seed=0, replicates=2)
    ours = [resamples.indices(replicate) for replicate in range(2)]
    np.testing.assert_array_equal(ours, oracle[f"{mode}.first_two_idx"])


@given(references=reference_ids, mode=modes, seed=st.integers(0, 2**32))
def test_weights_count_the_indices(references, mode, seed) -> None:
    """Weights and indices are two views of the same resamples, for references of any size and order."""
    resamples = Resamples.draw(references, mode=mode, seed=seed, replicates=5)
    counted = [np.bincount(resamples.indices(b), minlength=len(references)) for b in range(5)]
    np.testing.assert_array_equal(np.concatenate(list(resamples.weight_blocks())), counted)


@given(references=reference_ids, seed=st.integers(0, 2**32))
def test_cluster_mode_keeps_references_whole(references, seed) -> None:
    """Samples of one reference occur equally often in a cluster resample."""
    labels = np.array(references)
    resamples = Resamples.draw(references, seed=seed, replicates=5)
    for weights in np.concatenate(list(resamples.weight_blocks())):
        assert all(np.unique(weights[labels == label]).size == 1 for label in set(references))


def test_indices_follow_the_literal_recipe() -> None:
    """Unequal, interleaved references give concatenate(flatnonzero(references == k) for k in draws)."""
    references = np.array([2, 0, 1, 0, 2, 2, 5])
    rng = np.random.default_rng(3)
    resamples = Resamples.draw(references, seed=3, replicates=4)
    for replicate in range(4):
        drawn = np.unique(references)[rng.integers(0, 4, size=4)]
        expected = np.concatenate([np.flatnonzero(references == k) for k in drawn])
        np.testing.assert_array_equal(resamples.indices(replicate), expected)


@given(references=reference_ids, mode=modes, seed=st.integers(0, 2**32), data=st.data())
def test_restriction_only_removes_samples(references, mode, seed, data) -> None:
    """Restricting drops the masked columns of the weights and changes no other."""
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(references), max_size=len(references))))
    keep[0] = True
    resamples = Resamples.draw(references, mode=mode, seed=seed, replicates=4)
    restricted = resamples.restrict(keep)
    before, after = (np.concatenate(list(r.weight_blocks())) for r in (resamples, restricted))
    np.testing.assert_array_equal(after, before[:, keep])
    assert restricted.size == keep.sum()


def test_block_size_is_invisible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks give the same weights in the same order as one block."""
    resamples = Resamples.draw(list("aabbc"), replicates=11)
    whole = np.concatenate(list(resamples.weight_blocks()))
    monkeypatch.setattr(resamples_module, "_BLOCK_ELEMENTS", 10)
    blocks = list(resamples.weight_blocks())
    assert len(blocks) == 6
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_seed_decides_and_the_global_generator_is_left_alone() -> None:
    """One seed gives one set of resamples, another seed another, and numpy's global state stays as it was."""
    state = np.random.get_state()[1].copy()  # noqa: NPY002  the global state is what this test watches
    first, again, other = (Resamples.draw(range(50), seed=seed) for seed in (4, 4, 5))
    assert first.matches(again)
    assert not first.matches(other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_more_replicates_extend_the_same_draws() -> None:
    """The first replicates do not depend on how many follow."""
    few, many = (Resamples.draw(range(9), replicates=replicates) for replicates in (3, 30))
    np.testing.assert_array_equal(few.draws, many.draws[:3])


def test_resamples_of_different_samples_do_not_match() -> None:
    """Dropping two different samples of one reference leaves equal shapes, but not the same samples."""
    resamples = Resamples.draw(["a", "a", "b"])
    first, second = resamples.restrict([True, False, True]), resamples.restrict([False, True, True])
    assert not first.matches(second)
    assert not resamples.matches(Resamples.draw(["a", "a", "b"], mode="iid"))


@pytest.mark.parametrize("mode", ["iid", "cluster"])
def test_few_references_are_told_in_both_modes(mode) -> None:
    """19 references are few and 20 are not, however the samples are drawn; restriction can make them few."""
    many = Resamples.draw(np.repeat(np.arange(20), 5), mode=mode, replicates=1)
    assert Resamples.draw(np.repeat(np.arange(19), 5), mode=mode, replicates=1).few_clusters
    assert not many.few_clusters
    assert many.restrict(np.arange(100) >= 5).few_clusters


def test_labels_name_references_and_nothing_else() -> None:
    """Strings and the object arrays of data frames number references as integers of the same order do."""
    numbers = Resamples.draw([1, 0, 1, 2], seed=1)
    assert numbers.matches(Resamples.draw(["I02", "I01", "I02", "I03"], seed=1))
    assert numbers.matches(Resamples.draw(np.array(["b", "a", "b", "c"], dtype=object), seed=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"references": []}, "references"),
        ({"references": ["a", None]}, "none missing"),
        ({"references": [1.0, np.nan]}, "strings or integers"),
        ({"references": [[1, 2]]}, "one per sample"),
        ({"references": [1, 2], "mode": "block"}, "'block'.*cluster, iid"),
        ({"references": [1, 2], "seed": -1}, "-1"),
        ({"references": [1, 2], "replicates": 0}, "0 bootstrap replicates"),
    ],
)
def test_bad_settings_are_refused(arguments, message) -> None:
    """Missing labels, unknown modes, negative seeds and no replicates raise InvalidInput naming the value."""
    with pytest.raises(InvalidInput, match=message):
        Resamples.draw(**arguments)


@pytest.mark.parametrize("keep", [[True], [1, 0, 1], [False, False, False]])
def test_bad_masks_are_refused(keep) -> None:
    """A mask of another length, of integers, or that keeps nothing raises InvalidInput."""
    with pytest.raises(InvalidInput, match="keep"):
        Resamples.draw(range(3)).restrict(keep)
