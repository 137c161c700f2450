"""Per-sample directions: towards the mean of the data set, or a coin that belongs to the sample."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics import random_signs, srocc, tomean_signs

qualities = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def test_tomean_raises_the_poor_and_lowers_the_rest() -> None:
    """Below the mean of 2.5 is raised, above it is lowered."""
    np.testing.assert_array_equal(tomean_signs([1, 2, 3, 4]), [1, 1, -1, -1])


@given(quality=qualities, data=st.data())
def test_tomean_belongs_to_the_sample_not_to_its_place(quality, data) -> None:
    """Reordering the data set reorders the signs and changes none, whatever the rounding of the mean."""
    order = np.array(data.draw(st.permutations(range(len(quality)))))
    np.testing.assert_array_equal(tomean_signs(np.array(quality)[order]), tomean_signs(quality)[order])


@given(quality=qualities)
def test_tomean_is_monotone_and_lowers_the_best(quality) -> None:
    """Every raised sample is poorer than every lowered one, and the best sample is never raised."""
    signs, values = tomean_signs(quality), np.array(quality)
    assert set(signs) <= {-1, 1}
    assert signs[values.argmax()] == -1
    if (signs == 1).any():
        assert values[signs == 1].max() < values[signs == -1].min()


@given(value=st.floats(-1e6, 1e6), size=st.integers(1, 50))
def test_equal_qualities_are_at_the_mean(value, size) -> None:
    """No sample of a constant data set is below its mean, though a rounded mean could be above them."""
    assert (tomean_signs([value] * size) == -1).all()


def test_tomean_destroys_the_ranking_more_than_up() -> None:
    """The same gain per image lowers SROCC far more towards the mean than upwards."""
    rng = np.random.default_rng(0)
    quality = rng.uniform(size=400)
    gains = 0.5 * rng.uniform(0.5, 1.5, size=400)
    assert srocc(quality, quality + gains) > 0.85
    assert srocc(quality, quality + tomean_signs(quality) * gains) < 0.0


@pytest.mark.parametrize("quality", [[], [1.0, math.nan]])
def test_tomean_needs_every_label(quality) -> None:
    """Missing labels raise InvalidInput, because they would move the mean."""
    with pytest.raises(InvalidInput, match="human_quality"):
        tomean_signs(quality)


@given(ids=st.lists(st.text(max_size=8), min_size=1, max_size=20, unique=True), seed=st.integers(0, 2**63))
def test_coin_depends_on_seed_and_id_alone(ids, seed) -> None:
    """Every sample keeps its sign alone, in reverse order and among others."""
    together = random_signs(ids, seed)
    assert set(together) <= {-1, 1}
    np.testing.assert_array_equal(random_signs(ids[::-1], seed)[::-1], together)
    np.testing.assert_array_equal([random_signs([sample], seed)[0] for sample in ids], together)


def test_coin_is_fair_and_seeds_are_independent() -> None:
    """Of 4000 samples about half go up, and another seed agrees on about half (5 standard deviations)."""
    ids = [f"I{number:04d}.png" for number in range(4000)]
    first, second = random_signs(ids, 0), random_signs(ids, 1)
    assert abs(first.sum()) < 320
    assert abs((first * second).sum()) < 320


def test_coin_is_the_same_on_every_machine() -> None:
    """Parity of the first byte of ``printf 'direction\\n0\\na' | sha256sum``: 50 ad ac a3 78 ea."""
    np.testing.assert_array_equal(random_signs(["a", "b", "c", "d", "e", "f"], 0), [-1, 1, -1, 1, -1, -1])
