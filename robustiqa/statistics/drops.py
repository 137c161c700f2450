"""How much worse a model ranks and fits human scores under attack: drops of SROCC, KROCC and PLCC.

The logistic map behind PLCC is fitted on clean scores and frozen: a new fit on attacked ones would hide the damage.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.statistics.correlation import krocc, srocc
from robustiqa.statistics.logistic import LogisticMap, fit_logistic, plcc_after_logistic


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


@lru_cache(maxsize=64)
def _fitted(clean: bytes, human: bytes) -> LogisticMap:
    """The map of clean scores, given as bytes of float64: they come again with every attack on the model."""
    return fit_logistic(np.frombuffer(clean), np.frombuffer(human))


def correlation_drops(human: ArrayLike, clean: ArrayLike, attacked: ArrayLike) -> Drops:
    """Of quality-oriented scores [n]. Raises InvalidInput when they are not 1-D arrays of one length."""
    fitted = _fitted(*(np.asarray(values, dtype=np.float64).tobytes() for values in (clean, human)))
    return Drops(
        srocc=Drop(srocc(human, clean), srocc(human, attacked)),
        plcc=Drop(plcc_after_logistic(fitted, clean, human), plcc_after_logistic(fitted, attacked, human)),
        krocc=Drop(krocc(human, clean), krocc(human, attacked)),
        agreement=srocc(clean, attacked),
    )
