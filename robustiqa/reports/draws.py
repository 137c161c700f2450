"""Estimates with both of their intervals, from the resamples that rows of the same samples share."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from robustiqa.statistics import UNDEFINED, Bootstrapped, Interval, Mode, Resamples, bootstrap_srocc

Vector = NDArray[np.float64]

NO_INTERVAL: Final = Interval(math.nan, math.nan, math.nan, replicates=0, replicates_used=0, flags=(UNDEFINED,))


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval clustered by reference and, beside it, the i.i.d. one."""

    clustered: Interval
    iid: Interval

    @property
    def value(self) -> float:
        return self.clustered.estimate


@dataclass(frozen=True)
class Draws:
    """The resamples of a row, the same for every row of the same samples; None where no sample is left to draw."""

    clustered: Resamples | None
    iid: Resamples | None
    known: dict[bytes, Estimate] = field(default_factory=dict)

    @classmethod
    def of(cls, references: Sequence[str], seed: int) -> Self:
        if not references:
            return cls(None, None)
        modes: tuple[Mode, Mode] = ("cluster", "iid")
        clustered, iid = (Resamples.draw(references, mode=mode, seed=seed) for mode in modes)
        return cls(clustered, iid)

    def srocc(self, human: Vector, scores: Vector) -> Estimate:
        """SROCC, estimated once for equal vectors: clean scores come again with every attack."""
        key = human.tobytes() + scores.tobytes()
        if key not in self.known:
            self.known[key] = self.estimate(lambda resamples: bootstrap_srocc(resamples, human, scores))
        return self.known[key]

    def estimate(self, statistic: Callable[[Resamples], Bootstrapped]) -> Estimate:
        """The statistic's estimate with both intervals; undefined where there is nothing to draw."""
        (estimate,) = self.estimates(1, lambda resamples: [statistic(resamples)])
        return estimate

    def estimates(self, count: int, statistics: Callable[[Resamples], Sequence[Bootstrapped]]) -> list[Estimate]:
        """Of several statistics that are computed together."""
        both = [
            [NO_INTERVAL] * count if resamples is None else [one.interval() for one in statistics(resamples)]
            for resamples in (self.clustered, self.iid)
        ]
        return [Estimate(clustered, iid) for clustered, iid in zip(*both, strict=True)]


class Deck:
    """The draws of a report, from one seed: made once for all rows whose samples have the same references."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[tuple[str, ...], Draws] = {}

    def draws(self, references: Iterable[str]) -> Draws:
        """Of samples with these references, in their order."""
        key = tuple(references)
        if key not in self._drawn:
            self._drawn[key] = Draws.of(key, self._seed)
        return self._drawn[key]
