"""How much worse a model ranks and fits human scores under attack: drops of SROCC, KROCC and PLCC.

The logistic map behind PLCC is fitted on clean scores and frozen: a new fit on attacked ones would hide the damage.
"""

from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import ArrayLike

from robustiqa.statistics.correlation import krocc, srocc
from robustiqa.statistics.logistic import fit_logistic, plcc_after_logistic


class Drop(NamedTuple):
    """A correlation with human scores, clean and under attack; NaN where undefined."""

    clean: float
    attacked: float

    @property
    def drop(self) -> float:
        """Clean minus attacked: positive where the attack did damage."""
        return self.clean - self.attacked


@dataclass(frozen=True)
class Drops:
    """Correlations with human scores before and after, and ``agreement``: SROCC between clean and attacked scores."""

    srocc: Drop
    plcc: Drop
    krocc: Drop
    agreement: float


def correlation_drops(human: ArrayLike, clean: ArrayLike, attacked: ArrayLike) -> Drops:
    """Of quality-oriented scores [n]. Raises InvalidInput when they are not 1-D arrays of one length."""
    fitted = fit_logistic(clean, human)
    return Drops(
        srocc=Drop(srocc(human, clean), srocc(human, attacked)),
        plcc=Drop(plcc_after_logistic(fitted, clean, human), plcc_after_logistic(fitted, attacked, human)),
        krocc=Drop(krocc(human, clean), krocc(human, attacked)),
        agreement=srocc(clean, attacked),
    )
