"""KADID-style training pairs from pristine photographs: published types at any level, composed, or with losses.

Every reference gets, for each of the 25 types, one pair in each of five strata of levels around the published ones
and one beyond them, further compositions of two or three types, and pairs with transmission errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.core.random import derive_seed
from robustiqa.datasets.distortions import distort
from robustiqa.datasets.distortions.transmission import transmission_errors

TRANSMISSION: Final = 0  # stands where a KADID-10k code would
COMPOSABLE: Final = (1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 19, 21)  # blurs, codecs, noises, warps: common in practice
BEYOND: Final = (1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 19, 24)  # types whose amount can grow past level 5


@dataclass(frozen=True)
class Recipe:
    """How many pairs a reference gets beside its 25 x 5 ones, how far levels go, and the window that is distorted."""

    beyond: int = 1
    composed: int = 12
    transmission: int = 5
    highest_level: float = 10.0
    crop: int = 384


@dataclass(frozen=True)
class Draft:
    """One pair to be made: steps of (code, level), applied in order to ``reference``."""

    reference: str
    steps: tuple[tuple[int, float], ...]


def drafts(reference: str, recipe: Recipe, seed: int) -> Iterator[Draft]:
    """All pairs of one reference; the levels follow from (seed, reference)."""
    rng = np.random.default_rng(derive_seed("drafts", seed, reference))
    for code in range(1, 26):
        for stratum in range(1, 6):
            yield Draft(reference, ((code, max(0.0, stratum + rng.uniform(-0.5, 0.5))),))
    for code in BEYOND:
        for _ in range(recipe.beyond):
            yield Draft(reference, ((code, rng.uniform(5.5, recipe.highest_level)),))
    for _ in range(recipe.composed):
        codes = rng.choice(COMPOSABLE, size=rng.integers(2, 4), replace=False)
        yield Draft(reference, tuple((int(code), rng.uniform(0.5, 4.0)) for code in codes))
    for _ in range(recipe.transmission):
        yield Draft(reference, ((TRANSMISSION, rng.uniform(0.01, 0.6)), (9, rng.uniform(0.0, 1.0))))


def render(rgb: NDArray[np.uint8], draft: Draft, seed: int) -> NDArray[np.uint8]:
    """The distorted image of ``draft`` for its pristine image [H, W, 3]."""
    for code, level in draft.steps:
        if code == TRANSMISSION:
            rng = np.random.default_rng(derive_seed("transmission", seed, draft.reference, level))
            damaged = transmission_errors(rgb / 255.0, level, rng)
            rgb = np.round(damaged * 255).astype(np.uint8)
        else:
            rgb = distort(rgb, code, level, f"{seed}/{draft.reference}")
    return rgb
