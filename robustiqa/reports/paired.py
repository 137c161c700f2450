"""Several views on the same samples with the same resamples, so that their differences are paired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robustiqa.reports.compose import View
from robustiqa.reports.draws import Estimate
from robustiqa.statistics import Bootstrapped, Resamples, bootstrap_mean, bootstrap_srocc, paired_difference

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """A statistic of one view, clustered by reference and i.i.d., on resamples that others share."""

    clustered: Bootstrapped
    iid: Bootstrapped

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.clustered.interval(), self.iid.interval())

    def minus(self, other: "Paired") -> Estimate:
        """The paired difference."""
        return Estimate(paired_difference(self.clustered, other.clustered), paired_difference(self.iid, other.iid))


@dataclass(frozen=True)
class Common:
    """Samples that some views all have a finite score for, with their resamples; ids are sorted."""

    ids: tuple[str, ...]
    human: Vector
    clustered: Resamples
    iid: Resamples

    @classmethod
    def of(cls, views: Sequence[View], seed: int = 0) -> "Common | None":
        """None where there is no common sample."""
        ids = sorted(set.intersection(*({row.id for row in view.rows if row.status == "ok"} for view in views)))
        if not ids:
            return None
        rows = {row.id: row for row in views[0].rows}
        references = [rows[i].reference for i in ids]
        human = np.array([rows[i].quality for i in ids])
        draws = (Resamples.draw(references, mode=mode, seed=seed) for mode in ("cluster", "iid"))
        return cls(tuple(ids), human, *draws)

    def gain(self, view: View, field: str = "attacked") -> Paired:
        """Mean gain in units of the model's range; undefined where it has none."""
        gains = view.gains(field)
        values = np.array([gains[i] for i in self.ids]) / view.width
        return self._paired(lambda resamples: bootstrap_mean(resamples, values))

    def srocc(self, view: View, field: str) -> Paired:
        """SROCC of a score (clean or attacked) with the human one."""
        scores = dict(zip((row.id for row in view.rows), view.quality(field).tolist(), strict=True))
        values = np.array([scores[i] for i in self.ids])
        return self._paired(lambda resamples: bootstrap_srocc(resamples, self.human, values))

    def _paired(self, statistic: Callable[[Resamples], Bootstrapped]) -> Paired:
        return Paired(statistic(self.clustered), statistic(self.iid))


def flags_of_estimates(*estimates: Estimate | None) -> tuple[str, ...]:
    """Flags of the clustered intervals, sorted."""
    return tuple(sorted({flag for one in estimates if one is not None for flag in one.clustered.flags}))
