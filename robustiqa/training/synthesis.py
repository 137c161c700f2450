"""KADID-style training pairs from pristine photographs: published types at any level, composed, or unpublished ones.

Every reference gets, for each of the 25 types, one pair in each of five strata of levels around the published ones
and one beyond them, more of the commonest types, compositions of two or three types, and pairs of types that
KADID-10k has not got: transmission errors, linear contrast, offset, chroma scaling, and blur that leaves a dark frame.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustiqa.core.random import derive_seed
from robustiqa.datasets.distortions import distort
from robustiqa.datasets.distortions.blur import gaussian, gaussian_dark_border
from robustiqa.datasets.distortions.brightness import mean_shift
from robustiqa.datasets.distortions.color import saturation_lab
from robustiqa.datasets.distortions.tone import linear_contrast
from robustiqa.datasets.distortions.transmission import transmission_errors

Image = NDArray[np.float64]
COMMON: Final = (1, 9, 10, 11)  # blur, JPEG 2000, JPEG and white noise: in practice more frequent than all others
COMPOSABLE: Final = (1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 19, 21)  # blurs, codecs, noises, warps
BEYOND: Final = (1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 19, 24)  # types whose amount can grow past level 5


class Unpublished(NamedTuple):
    """A type of no KADID-10k number: what applies it, the range of amounts, and published types of the same kind."""

    apply: Callable[[Image, float, np.random.Generator], Image]
    lowest: float
    highest: float
    kin: tuple[int, ...]


TRANSMISSION: Final = 0
CONTRAST: Final = -1
OFFSET: Final = -2
CHROMA: Final = -3
DARK_FRAME: Final = -4
UNFRAMED: Final = -5  # what DARK_FRAME would be without its frame: how people judge it
UNPUBLISHED: Final = {
    TRANSMISSION: Unpublished(transmission_errors, 0.01, 0.6, COMPOSABLE),
    CONTRAST: Unpublished(linear_contrast, 0.45, 1.6, (25,)),
    OFFSET: Unpublished(mean_shift, -0.18, 0.18, (16, 17, 18)),
    CHROMA: Unpublished(saturation_lab, 0.0, 2.5, (7, 8)),
    DARK_FRAME: Unpublished(gaussian_dark_border, 0.3, 4.0, COMPOSABLE),
    UNFRAMED: Unpublished(gaussian, 0.3, 4.0, COMPOSABLE),
}


@dataclass(frozen=True)
class Recipe:
    """How many pairs a reference gets beside its 25 x 5 ones, how far levels go, and the window that is distorted.

    Attributes:
        beyond: pairs past level 5, of each type that can grow.
        common: further pairs of each of the commonest types, from level 0.5 to 7.
        composed, transmission: pairs of several types, and of transmission errors.
        unpublished: pairs of each other type that KADID-10k has not got.
        tile: side of the squares of a window that are labelled one by one.
    """

    beyond: int = 1
    common: int = 2
    composed: int = 12
    transmission: int = 5
    unpublished: int = 8
    highest_level: float = 10.0
    crop: int = 384
    tile: int = 192


@dataclass(frozen=True)
class Draft:
    """One pair to be made: steps of (code, level), applied in order to ``reference``; codes below 1 have amounts."""

    reference: str
    steps: tuple[tuple[int, float], ...]

    @property
    def code(self) -> int | None:
        """The code of a pair of one step, None of a composition."""
        return self.steps[0][0] if len(self.steps) == 1 else None

    @property
    def judged(self) -> "Draft":
        """The draft whose image the teachers see: a dark frame is kept from them."""
        return Draft(self.reference, tuple((UNFRAMED if c == DARK_FRAME else c, v) for c, v in self.steps))


def drafts(reference: str, recipe: Recipe, seed: int) -> Iterator[Draft]:
    """All pairs of one reference; the levels follow from (seed, reference)."""
    rng = np.random.default_rng(derive_seed("drafts", seed, reference))
    for code in range(1, 26):
        for stratum in range(1, 6):
            yield Draft(reference, ((code, max(0.0, stratum + rng.uniform(-0.5, 0.5))),))
    for codes, count, low, high in (
        (BEYOND, recipe.beyond, 5.5, recipe.highest_level),
        (COMMON, recipe.common, 0.5, 7.0),
    ):
        for code in codes:
            for _ in range(count):
                yield Draft(reference, ((code, rng.uniform(low, high)),))
    for _ in range(recipe.composed):
        chosen = rng.choice(COMPOSABLE, size=rng.integers(2, 4), replace=False)
        yield Draft(reference, tuple((int(code), rng.uniform(0.5, 4.0)) for code in chosen))
    for _ in range(recipe.transmission):
        yield Draft(reference, ((TRANSMISSION, _amount(TRANSMISSION, rng)), (9, rng.uniform(0.0, 1.0))))
    for code in (CONTRAST, OFFSET, CHROMA, DARK_FRAME):
        for _ in range(recipe.unpublished):
            yield Draft(reference, ((code, _amount(code, rng)),))


def render(rgb: NDArray[np.uint8], draft: Draft, seed: int) -> NDArray[np.uint8]:
    """The distorted image of ``draft`` for its pristine image [H, W, 3]."""
    for code, level in draft.steps:
        if code in UNPUBLISHED:
            rng = np.random.default_rng(derive_seed("unpublished", code, seed, draft.reference, level))
            damaged = UNPUBLISHED[code].apply(rgb / 255.0, level, rng)
            rgb = np.clip(np.round(damaged * 255), 0, 255).astype(np.uint8)
        else:
            rgb = distort(rgb, code, level, f"{seed}/{draft.reference}")
    return rgb


def _amount(code: int, rng: np.random.Generator) -> float:
    return rng.uniform(UNPUBLISHED[code].lowest, UNPUBLISHED[code].highest)
