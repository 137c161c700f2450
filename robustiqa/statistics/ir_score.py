"""The Integral Robustness Score of a defense (BiRQA paper, eq. 8; Chistyakova et al., Technologies 12:220, 2024).

G_g is the mean, over images and radii ε of equal weight, of the change of a model's mapped quality in the attacked
direction, sign * (T_g(g(x')) - T_g(g(x))); each model g is attacked itself and has its own map T_g, fitted on its
clean scores. IR-Score = G_f - G_f^: positive where the defended model f^ moved less than f, so larger is better.

As printed, eq. (8) averages g(x) - g(x'). That is this sign for a distance that the attack lowers; for a score that the
attack raises (its eq. 1) every R is negative and a better defense scores lower. The change in the attacked direction is
the same for both. It is a difference to the model's own baseline: a fragile one inflates it, so that G_f, G_f^ and the
ratio 1 - G_f^ / G_f stand beside it, and rows of different architectures should be compared by those.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, require_length
from robustiqa.statistics.bootstrap import Bootstrapped, bootstrap_mean
from robustiqa.statistics.curves import area
from robustiqa.statistics.gain import gain_raw
from robustiqa.statistics.resamples import Resamples
from robustiqa.statistics.transport import QualityMap

PAPER_EPS: Final = (2 / 255, 4 / 255, 8 / 255, 10 / 255)


@dataclass(frozen=True, eq=False)
class Moves:
    """What the attacks on one model did to it: ``values`` [k, n], the mapped change in the attacked direction.

    Attributes:
        eps: the k radii, ascending, in [0, 1] units.
        outside: share of attacked scores beyond the calibration scores, where the map is a linear tail.
    """

    eps: tuple[float, ...]
    values: FloatArray
    outside: float

    @classmethod
    def of(
        cls, eps: Sequence[float], clean: Sequence[ArrayLike], attacked: Sequence[ArrayLike], sign: Sequence[ArrayLike],
        to_domain: QualityMap,
    ) -> Self:
        """From quality-oriented scores [n] at each of the k radii; ``sign`` is +1 where quality was to rise, else -1.

        Raises:
            InvalidInput: no radii, not ascending, or lengths that differ.
        """
        if not eps or sorted(set(eps)) != list(eps):
            raise InvalidInput(f"radii {tuple(eps)} must be one or more, ascending, each once.")
        rows = [
            gain_raw(to_domain(before), to_domain(after), signs)
            for before, after, signs in zip(clean, attacked, sign, strict=True)
        ]
        require_length("eps", len(rows), len(eps))
        for row in rows:
            require_length("scores", row.size, rows[0].size)
        return cls(tuple(eps), np.stack(rows), to_domain.outside(np.concatenate([np.asarray(a) for a in attacked])))

    @property
    def per_sample(self) -> FloatArray:
        """Mean over the radii [n]."""
        means: FloatArray = self.values.mean(axis=0)
        return means

    @property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """(ε, G at this ε) in ascending order."""
        return tuple(zip(self.eps, self.values.mean(axis=1).tolist(), strict=True))

    @property
    def area(self) -> float:
        """Area under the curve from (0, 0), over its width: the mean G of a random radius up to the largest."""
        return area((0.0, *self.eps), (0.0, *(value for _, value in self.curve)))


@dataclass(frozen=True, eq=False)
class IRScore:
    """A defended model f^ against its baseline f under the same attack, in the common domain.

    Attributes:
        base, defended: G_f and G_f^.
        score: G_f - G_f^, paired per image.
        ratio: 1 - G_f^ / G_f, the share of the attack that the defense took away; NaN where G_f is not positive.
        moves_base, moves_defended: what they are means of.
    """

    base: Bootstrapped
    defended: Bootstrapped
    score: Bootstrapped
    ratio: Bootstrapped
    moves_base: Moves
    moves_defended: Moves


def ir_score(base: Moves, defended: Moves, resamples: Resamples) -> IRScore:
    """The IR-Score on n samples that both were attacked on, with its replicates.

    Raises:
        InvalidInput: other radii, or another number of samples, than each other's or the resamples'.
    """
    if base.eps != defended.eps:
        raise InvalidInput(f"radii differ: {base.eps} of the baseline, {defended.eps} of the defended model.")
    before, after = (bootstrap_mean(resamples, moves.per_sample) for moves in (base, defended))
    return IRScore(before, after, before - after, _ratio(before, after), base, defended)


def _ratio(before: Bootstrapped, after: Bootstrapped) -> Bootstrapped:
    positive = np.where(before.values > 0, before.values, np.nan)
    estimate = 1 - after.estimate / before.estimate if before.estimate > 0 else math.nan
    return Bootstrapped(estimate, 1 - after.values / positive, before.resamples)
