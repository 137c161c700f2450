"""Maps of a model's scores to one domain, so that what an attack did to different models can be compared.

All are fitted on CLEAN scores of a calibration set alone: a map that had seen attacked scores would hide the attack.
In one dimension the optimal transport map for a convex cost is the monotone rearrangement F_Y^-1(F_X(x)); it keeps
every rank, and with it SROCC. Peyré & Cuturi, *Computational Optimal Transport*, 2019, section 2.6. The plan is POT's.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, as_vector, require_finite

Domain: TypeAlias = Literal["minmax", "ot", "neural"]
Kind: TypeAlias = Literal["minmax", "ot", "affine", "neural"]
DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)
ENOUGH_FOR_QUANTILES: Final = 50


@dataclass(frozen=True, eq=False)
class QualityMap:
    """A non-decreasing map of quality (higher is better) to the common domain, whose clean range is about [0, 1].

    Attributes:
        kind: ``minmax``, ``ot``, ``neural``, or ``affine`` where samples were too few for quantiles.
        low, high: extremes of the calibration scores, native units; they become 0 and 1 before the map.
        knots, values: the map at points of [0, 1], linear between them.
        slope: of the linear tails beyond 0 and 1. Clipping there would hide the attacks that succeed best.
    """

    kind: Kind
    low: float
    high: float
    knots: FloatArray
    values: FloatArray
    slope: float

    def __call__(self, quality: ArrayLike) -> FloatArray:
        """Qualities [n] in the common domain; NaN stays NaN. Raises InvalidInput when they are not a 1-D array."""
        x = (as_vector("quality", quality) - self.low) / (self.high - self.low)
        beyond = np.minimum(x, 0.0) + np.maximum(x - 1.0, 0.0)
        mapped: FloatArray = np.interp(x, self.knots, self.values) + self.slope * beyond
        return mapped

    def outside(self, quality: ArrayLike) -> float:
        """Share of the finite qualities [n] that lie beyond the calibration scores, on the tails; NaN of none."""
        scores = as_vector("quality", quality)
        scores = scores[np.isfinite(scores)]
        return float(np.mean((scores < self.low) | (scores > self.high))) if scores.size else float("nan")


def fit_map(clean: ArrayLike, target: ArrayLike | None = None, domain: Domain = "ot", seed: int = 0) -> QualityMap:
    """Fit a map on clean calibration scores.

    Args:
        clean: quality-oriented scores of the calibration images [n], any unit.
        target: samples [m] whose distribution is the domain, such as the human scores of the calibration images, any
            unit; they are scaled to [0, 1] first. None: the uniform distribution on [0, 1].
        domain: ``minmax`` scales to [0, 1] and ignores the target; ``ot`` is the exact optimal transport map, affine
            (equal mean and deviation) with fewer than 50 samples on a side; ``neural`` a network trained to be that
            map.
        seed: of the network.

    Raises:
        InvalidInput: an unknown domain; scores or targets that are not finite, or all equal.
    """
    if domain not in DOMAINS:
        raise InvalidInput(f"domain {domain!r} is unknown; use one of {', '.join(DOMAINS)}.")
    x, low, high = _unit("clean", clean)
    y = (np.arange(x.size) + 0.5) / x.size if target is None else _unit("target", target)[0]
    if domain == "minmax":
        return QualityMap("minmax", low, high, np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0)
    if domain == "neural":
        from robustiqa.statistics.neural_transport import neural_transport  # noqa: PLC0415 (the rest needs no torch)

        return _with_chord("neural", low, high, *neural_transport(x, y, seed))
    if min(x.size, y.size) < ENOUGH_FOR_QUANTILES:
        return _with_chord("affine", low, high, np.array([0.0, 1.0]), _affine(x, y))
    return _with_chord("ot", low, high, *_barycentric(x, y))


def _unit(name: str, values: ArrayLike) -> tuple[FloatArray, float, float]:
    vector = as_vector(name, values)
    require_finite(name, vector)
    low, high = float(vector.min()), float(vector.max())
    if not high - low > float(np.finfo(np.float32).eps) * max(abs(low), abs(high)):
        raise InvalidInput(f"{name} runs from {low:g} to {high:g}: scores that do not differ span no domain.")
    return (vector - low) / (high - low), low, high


def _with_chord(kind: Kind, low: float, high: float, knots: FloatArray, values: FloatArray) -> QualityMap:
    """Tails as steep as the map is on average: the outermost pieces of a quantile map are noise, or flat."""
    rising = np.maximum.accumulate(values)  # of rounding errors
    slope = float((rising[-1] - rising[0]) / (knots[-1] - knots[0]))
    return QualityMap(kind, low, high, knots, rising, slope)


def _affine(x: FloatArray, y: FloatArray) -> FloatArray:
    """Optimal transport between normal distributions, at 0 and 1 (POT's LinearTransport)."""
    slope = y.std() / x.std()
    ends: FloatArray = y.mean() + slope * (np.array([0.0, 1.0]) - x.mean())
    return ends


def _barycentric(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the plan sends each distinct x on average: tied scores share one image, the mean of their quantiles."""
    import ot  # noqa: PLC0415 (it imports torch where there is one)

    knots, counts = np.unique(x, return_counts=True)
    mass = counts / x.size
    plan = ot.emd_1d(knots, y, mass, np.full(y.size, 1 / y.size), dense=False)
    return knots, np.asarray(plan @ y).ravel() / mass
