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


class _Clean(NamedTuple):
    """What follows from clean scores alone: the logistic map, PLCC through it, and KROCC."""

    fitted: LogisticMap
    plcc: float
    krocc: float


@lru_cache(maxsize=64)
def _of_clean(clean: bytes, human: bytes) -> _Clean:
    """Of scores given as bytes of float64: they come again with every attack on the model."""
    x, y = np.frombuffer(clean), np.frombuffer(human)
    fitted = fit_logistic(x, y)
    return _Clean(fitted, plcc_after_logistic(fitted, x, y), krocc(y, x))


def correlation_drops(human: ArrayLike, clean: ArrayLike, attacked: ArrayLike) -> Drops:
    """Of quality-oriented scores [n]. Raises InvalidInput when they are not 1-D arrays of one length."""
    before = _of_clean(*(np.asarray(values, dtype=np.float64).tobytes() for values in (clean, human)))
    return Drops(
        srocc=Drop(srocc(human, clean), srocc(human, attacked)),
        plcc=Drop(before.plcc, plcc_after_logistic(before.fitted, attacked, human)),
        krocc=Drop(before.krocc, krocc(human, attacked)),
        agreement=srocc(clean, attacked),
    )
