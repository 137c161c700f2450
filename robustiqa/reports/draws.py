"""Estimates with both of their intervals, from the resamples that rows of the same samples share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from robustiqa.statistics import UNDEFINED, Bootstrapped, Interval, Mode, Resamples

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
    """The resamples of a row: the same for every row of the same samples, since they are drawn from one seed.

    None where no sample is left to draw.
    """

    clustered: Resamples | None
    iid: Resamples | None

    @classmethod
    def of(cls, references: Sequence[str], seed: int) -> Self:
        if not references:
            return cls(None, None)
        modes: tuple[Mode, Mode] = ("cluster", "iid")
        return cls(*(Resamples.draw(references, mode=mode, seed=seed) for mode in modes))

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
