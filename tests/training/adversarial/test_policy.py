"""Which images stay clean, and bands of labels."""

import hashlib
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from robustiqa.training.adversarial.policy import BatchPolicy, spaced
from robustiqa.training.batches import IDENTICAL, Sampler
from robustiqa.training.pairs import Shelf
from robustiqa.training.synthesis import Draft

LABELS = st.lists(st.integers(0, 40), min_size=1, max_size=9).map(lambda ticks: np.array(ticks) / 10)


@given(LABELS, st.integers(1, 15).map(lambda tick: tick / 10))
def test_spaced_anchors_are_the_fewest_that_cover_the_labels(labels, gap):
    """From the lowest to the highest in gaps of at most lambda, wherever labels are near enough; a brute-force check."""
    taken = spaced(labels, gap)
    values = labels[taken]
    assert values[0] == labels.min()
    assert values[-1] == labels.max()
    assert len(set(taken)) == len(taken)
    every = np.sort(labels)
    for low, high in pairwise(values):
        if high - low > gap + 1e-9:  # only where no label lies between them
            assert not ((every > low) & (every < high)).any()
    if (np.diff(every) <= gap + 1e-9).all():
        assert len(taken) == fewest(every, gap)


def fewest(every, gap):
    for count in range(1, len(every) + 1):
        for chosen in combinations(every, count):
            ends = chosen[0] == every[0] and chosen[-1] == every[-1]
            if ends and all(b - a <= gap + 1e-9 for a, b in pairwise(chosen)):
                return count
    raise AssertionError


def test_the_share_is_filled_and_every_image_gets_its_turn():
    """Random anchors are so many exactly; spaced ones hold the outermost labels and as many in all."""
    labels = np.linspace(2, 3, 16)
    random, even = BatchPolicy(clean=0.25), BatchPolicy(clean=0.25, band=1.0, anchors="spaced")
    draws = [random.anchored(labels, np.random.default_rng(i)) for i in range(200)]
    assert {draw.sum() for draw in draws} == {4}
    assert 20 < np.sum(draws, 0).min() <= np.sum(draws, 0).max() < 80
    for i in range(20):
        chosen = even.anchored(labels, np.random.default_rng(i))
        assert chosen.sum() == 4
        assert chosen[0]
        assert chosen[-1]
        assert np.diff(labels[chosen]).max() <= 0.5 + 1e-9
    assert BatchPolicy().anchored(labels, np.random.default_rng(0)).sum() == 0


def test_spaced_anchors_without_a_band_are_refused():
    """Nothing would bound how many there have to be."""
    with pytest.raises(ValidationError, match="spaced anchors need a band"):
        BatchPolicy(clean=0.25, anchors="spaced")


@pytest.fixture(scope="module")
def sampler():
    """Two references with 40 pairs of four tiles each; labels from 1 to 5."""
    rng = np.random.default_rng(0)
    labels = [rng.uniform(1, 5, (40, 4)) for _ in range(2)]
    shelves = []
    for name in ("a", "b"):
        pristine = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        distorted = rng.integers(0, 256, (40, 64, 64, 3), dtype=np.uint8)
        plan = tuple(Draft(name, ((11, 1.0),)) for _ in range(40))
        shelves.append(Shelf(name, pristine, np.zeros((40, 2), int), distorted, plan, np.zeros((40, 4, 5)), 32))
    return Sampler(shelves, labels, [(32, 12, 1.0)], seed=3, identical=0.1)


def test_a_batch_of_a_band_has_labels_of_an_interval_and_no_tile_twice(sampler):
    """As wide as asked for; crops compared with themselves only where the band reaches their label."""
    banded = Sampler(sampler.shelves, sampler.labels, sampler.sizes, 3, 0.1, band=1.0)
    identical, centres = 0, []
    for step in range(60):
        batch = banded.batch(step)
        labels = batch.label.double().numpy()
        same = (batch.ref == batch.dist).flatten(1).all(1).numpy()
        identical += same.sum()
        assert np.ptp(labels) <= 1.0 + 1e-6
        assert len({hashlib.sha256(crop.tobytes()).digest() for crop in batch.dist.numpy()}) == 12
        assert (np.abs(labels[same] - IDENTICAL) < 1e-6).all()
        centres.append(np.median(labels))
    assert identical > 0
    assert min(centres) < 1.8
    assert max(centres) > 4.2
    assert (banded.batch(7).dist == banded.batch(7).dist).all()


def test_a_band_of_few_tiles_is_drawn_again(sampler):
    """Narrow bands repeat tiles rather than end."""
    batch = Sampler(sampler.shelves, sampler.labels, [(32, 50, 1.0)], 3, band=0.02).batch(0)
    assert len(batch.label) == 50
    assert np.ptp(batch.label.numpy()) <= 0.02 + 1e-6


def test_batches_without_a_band_are_those_of_older_versions(sampler):
    """Shipped checkpoints were trained on them: their recipes must repeat them."""
    batch = sampler.batch(5)
    digest = hashlib.sha256(batch.dist.numpy().tobytes() + batch.label.numpy().tobytes()).hexdigest()
    assert digest == "bb6b871631fd0ba359e15dc243b845064292c5694250194191cfbfd4eb216fef"
