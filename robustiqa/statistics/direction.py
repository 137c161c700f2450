"""Attack directions that are composed per sample: +1 raises the quality that a model reports, -1 lowers it.

The attacks ``up`` and ``down`` contain every such direction: a sample with sign +1 takes its row from ``up``,
any other from ``down``, so ``tomean`` and ``random`` cost no attack of their own.
"""

import hashlib
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.statistics._arrays import IntArray, as_vector, require_finite


def tomean_signs(human_quality: ArrayLike) -> IntArray:
    """+1 where human quality is below the mean of the data set, else -1, [n].

    This is the direction of an attacker who knows the labels and destroys the ranking.

    Args:
        human_quality: quality-oriented human scores of the WHOLE data set, [n]; pick the attacked samples
            afterwards, or a limit on their number would move the mean.

    Raises:
        InvalidInput: no scores, or some are not finite.
    """
    quality = as_vector("human_quality", human_quality)
    require_finite("human_quality", quality)
    # A rounded sum depends on the order of the samples and can leave the mean of equal scores above them.
    exact = [Fraction(value) for value in quality.tolist()]
    mean = sum(exact, Fraction()) / len(exact)
    return np.asarray([1 if value < mean else -1 for value in exact], dtype=np.intp)


def random_signs(ids: Iterable[str], seed: int) -> IntArray:
    """A fair sign per sample, [n], from sha256 of (seed, sample id) alone, whatever the other samples."""
    return np.asarray([_coin(seed, sample) for sample in ids], dtype=np.intp)


def _coin(seed: int, sample: str) -> int:
    digest = hashlib.sha256(f"direction\n{seed}\n{sample}".encode()).digest()
    return 1 if digest[0] & 1 else -1
