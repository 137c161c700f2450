"""Curves of what one search reached with less: gain over queries, or over the size of the change, and their areas.

A search at a budget of B has been at every smaller budget on its way. Its points (budget, score) are what it had
reached there; between two points it had at least what it had at the first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import trapezoid

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, as_pair, as_vector, require_finite

Scale: TypeAlias = Literal["linear", "log"]
Points: TypeAlias = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """Gain of n samples at k budgets.

    Attributes:
        budgets: queries, or sizes of the change, ascending [k], above 0.
        gains: of every sample at every budget [n, k]; 0 below its first point.
    """

    budgets: FloatArray
    gains: FloatArray

    @classmethod
    def of(cls, samples: Sequence[Points]) -> Self:
        """From each sample's (budget, gain), ascending; the budgets of all samples together make the curve.

        Raises:
            InvalidInput: no sample, a sample without points, budgets that are not ascending above 0, or no numbers.
        """
        if not samples or not all(samples):
            raise InvalidInput("a curve needs one or more samples, each with one or more points (budget, gain).")
        tables = [as_pair(*zip(*points, strict=True), names=("budget", "gain")) for points in samples]
        for at, gain in tables:
            require_finite("budget", at)
            require_finite("gain", gain)
            if at[0] <= 0 or (np.diff(at) <= 0).any():
                raise InvalidInput(f"budgets {at.tolist()} must be above 0 and ascending.")
        budgets = np.unique(np.concatenate([at for at, _ in tables]))
        return cls(budgets, np.stack([_held(at, gain, budgets) for at, gain in tables]))

    @property
    def mean(self) -> FloatArray:
        """Mean gain at every budget [k]."""
        means: FloatArray = self.gains.mean(axis=0)
        return means

    def area(self, scale: Scale = "linear") -> float:
        """Area under the mean gain over its width, in units of the gain: what an attacker of unknown budget gains.

        ``linear`` starts at (0, 0); ``log`` at the first budget, as the budgets of query curves are spaced.
        """
        if scale == "log":
            return area(np.log10(self.budgets), self.mean)
        return area(np.append(0.0, self.budgets), np.append(0.0, self.mean))

    def least(self, goal: float) -> FloatArray:
        """The smallest budget at which each sample gained ``goal`` or more [n]; inf where none did.

        Over sizes of the change these are the minimum distortions of C&W's attack.
        """
        reached = self.gains >= goal
        first: FloatArray = np.where(reached.any(axis=1), self.budgets[reached.argmax(axis=1)], math.inf)
        return first

    def reached(self, goal: float) -> FloatArray:
        """Share of the samples that gained ``goal`` or more within each budget [k]; it never falls."""
        shares: FloatArray = (self.least(goal)[:, None] <= self.budgets).mean(axis=0)
        return shares


def area(x: ArrayLike, y: ArrayLike) -> float:
    """Trapezoidal area under y over x, divided by the width of x; the value itself where there is one point.

    Raises InvalidInput when they are not two 1-D arrays of one length, x ascending.
    """
    across, up = as_pair(x, y)
    if across.size == 0 or (np.diff(across) <= 0).any():
        raise InvalidInput("an area needs one or more points with ascending x.")
    if across.size == 1:
        return float(up[0])
    return float(trapezoid(up, across) / (across[-1] - across[0]))


def _held(at: FloatArray, gain: FloatArray, budgets: FloatArray) -> FloatArray:
    last = np.searchsorted(at, budgets, side="right")
    held: FloatArray = as_vector("gain", np.append(0.0, gain))[last]
    return held
