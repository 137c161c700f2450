"""SROCC within distortion type: whether a model ranks levels, not merely types.

Pooled SROCC rewards knowing which type is worse on average; where labels are means of a type and level it can
be had without looking at the image. The mean over types of the SROCC within each stands beside it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustiqa.statistics._arrays import Labels, as_labels, as_pair, require_length
from robustiqa.statistics.bootstrap import Bootstrapped, bootstrap_srocc
from robustiqa.statistics.correlation import srocc
from robustiqa.statistics.resamples import Resamples


@dataclass(frozen=True)
class WithinType:
    """SROCC of every distortion type, NaN where undefined, sorted by type."""

    per_type: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean over the types whose SROCC is defined; NaN when there is none."""
        defined = [value for value in self.per_type.values() if not math.isnan(value)]
        return math.fsum(defined) / len(defined) if defined else math.nan

    @property
    def undefined(self) -> tuple[str, ...]:
        """Types whose SROCC is undefined and not part of the mean; to be named beside it."""
        return tuple(name for name, value in self.per_type.items() if math.isnan(value))


def srocc_within_type(human: ArrayLike, scores: ArrayLike, types: Labels) -> WithinType:
    """SROCC between human and model scores [n], both quality-oriented, within each of the ``types`` [n].

    Raises InvalidInput when the three are not 1-D arrays of one length.
    """
    human, scores = as_pair(human, scores, names=("human", "scores"))
    masks = _masks(types, human.size)
    return WithinType(MappingProxyType({t: srocc(human[mask], scores[mask]) for t, mask in masks.items()}))


def bootstrap_srocc_within_type(
    resamples: Resamples, human: ArrayLike, scores: ArrayLike, types: Labels
) -> Bootstrapped:
    """Mean over types of the SROCC within type, with its replicates.

    Types that are undefined on the samples stay out of every replicate; a replicate on which another type is
    undefined is dropped, because a mean over fewer types is another statistic.
    Raises InvalidInput when lengths differ from those of the resamples.
    """
    human, scores = as_pair(human, scores, names=("human", "scores"))
    require_length("human", human.size, resamples.size)
    parts = [
        bootstrap_srocc(resamples.restrict(mask), human[mask], scores[mask])
        for mask in _masks(types, human.size).values()
    ]
    defined = [part for part in parts if not math.isnan(part.estimate)]
    if not defined:
        return Bootstrapped(math.nan, np.full(resamples.replicates, np.nan), resamples)
    estimate = math.fsum(part.estimate for part in defined) / len(defined)
    return Bootstrapped(estimate, np.mean([part.values for part in defined], axis=0), resamples)


def _masks(types: Labels, size: int) -> dict[str, NDArray[np.bool_]]:
    labels = as_labels("types", types)
    require_length("types", labels.size, size)
    return {str(label): labels == label for label in np.unique(labels)}
