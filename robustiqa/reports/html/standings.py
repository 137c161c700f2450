"""Which places of a ranking the data allow: a rank is claimed only against entrants that are separable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robustiqa.reports.compose import quality_of
from robustiqa.reports.html.arena import Trial
from robustiqa.statistics import Resamples, bootstrap_srocc, paired_difference


@dataclass(frozen=True)
class Standing:
    """The best and the worst rank that an entrant may have, by paired intervals of the differences of SROCC."""

    best: int
    worst: int

    @property
    def text(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"


def standings(trials: Sequence[Trial]) -> list[Standing]:
    """One for each trial, compared in SROCC under attack on the samples that all have a finite score of.

    An entrant is above another where the 95 % interval of the paired difference, clustered by reference, excludes 0;
    with fewer than 20 references nobody is.
    """
    rows = [{row.id: row for row in trial.ranked.view.rows if row.status == "ok"} for trial in trials]
    common = sorted(set.intersection(*(set(known) for known in rows))) if rows else []
    count = len(trials)
    if len(common) < 2 or count == 1:
        return [Standing(1, count)] * count
    resamples = Resamples.draw([rows[0][i].reference for i in common])
    human = np.array([rows[0][i].quality for i in common])
    attacked = [
        quality_of([known[i] for i in common], "attacked", trial.ranked.view.orientation)
        for trial, known in zip(trials, rows, strict=True)
    ]
    boots = [bootstrap_srocc(resamples, human, scores) for scores in attacked]
    verdicts = [[a is not b and paired_difference(a, b).verdict for b in boots] for a in boots]
    return [Standing(1 + row.count("below"), count - row.count("above")) for row in verdicts]
