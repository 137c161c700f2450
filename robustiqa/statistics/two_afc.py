"""Two-alternative forced choice: does a model agree with people on which of two images is nearer to the reference?

With h the share of people who preferred p1, and q0, q1 the model's qualities (higher is better):

* soft score (Zhang et al., CVPR 2018): a triplet earns h where q1 > q0, 1 - h where q0 > q1, 0.5 where they are equal;
* majority accuracy: whether the model prefers what most people preferred; h = 0.5 has no majority and is dropped;
* flip rate (Ghildyal and Liu, TMLR 2023): the share of triplets that the model got right whose order the attack broke.

Even perfect knowledge of h earns a soft score of mean(max(h, 1 - h)) only: the two scores are not comparable.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, as_pair, as_vector, require_finite, require_length
from robustiqa.statistics.bootstrap import Bootstrapped, bootstrap_mean
from robustiqa.statistics.resamples import Resamples


@dataclass(frozen=True, eq=False)
class TwoAFC:
    """Human preferences and a model's qualities over the same n triplets.

    Attributes:
        preference: h [n] in [0, 1], the share of people who preferred p1.
        margin: q1 - q0 [n], quality-oriented: positive where the model prefers p1.
    """

    preference: FloatArray
    margin: FloatArray

    @classmethod
    def of(cls, preference: ArrayLike, quality0: ArrayLike, quality1: ArrayLike) -> "TwoAFC":
        """From shares [n] and qualities of p0 and p1 [n], higher is better.

        Raises:
            InvalidInput: other lengths, values that are not finite, or shares out of [0, 1].
        """
        h = as_vector("preference", preference)
        q0, q1 = as_pair(quality0, quality1, names=("quality0", "quality1"))
        require_length("quality0", q0.size, h.size)
        for name, values in (("preference", h), ("quality0", q0), ("quality1", q1)):
            require_finite(name, values)
        if h.min() < 0 or h.max() > 1:
            raise InvalidInput(f"preference runs from {h.min():g} to {h.max():g}; it is a share, from 0 to 1")
        return cls(h, q1 - q0)

    @property
    def credit(self) -> FloatArray:
        """What each triplet earns [n]; its mean is the soft score."""
        return np.where(self.margin > 0, self.preference, np.where(self.margin < 0, 1 - self.preference, 0.5))

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Triplets on which people had a majority [n]."""
        return np.asarray(self.preference != 0.5)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Triplets on which the model strictly prefers what the majority preferred [n]; without a majority False."""
        return np.asarray(self.margin * (self.preference - 0.5) > 0)


def soft_score(triplets: TwoAFC, resamples: Resamples) -> Bootstrapped:
    """Mean credit in [0, 1], with its replicates."""
    return bootstrap_mean(resamples, triplets.credit)


def majority_accuracy(triplets: TwoAFC, resamples: Resamples) -> Bootstrapped | None:
    """Share of decided triplets that the model gets right, a tie counting half; None where none is decided."""
    if not triplets.decided.any():
        return None
    won = triplets.correct + 0.5 * (triplets.margin == 0)
    return bootstrap_mean(resamples.restrict(triplets.decided), won[triplets.decided])


def flip_rate(clean: TwoAFC, attacked: TwoAFC, resamples: Resamples) -> Bootstrapped | None:
    """Share of the triplets right on clean images that are not right on attacked ones; None where none was right.

    A tie under attack counts as flipped: the model no longer says what people said.

    Raises:
        InvalidInput: the two are not about the same triplets.
    """
    if not np.array_equal(clean.preference, attacked.preference):
        raise InvalidInput("clean and attacked triplets differ in their human preferences; align them by triplet id")
    if not clean.correct.any():
        return None
    return bootstrap_mean(resamples.restrict(clean.correct), (~attacked.correct[clean.correct]).astype(np.float64))
