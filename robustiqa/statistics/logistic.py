"""The VQEG 4-parameter logistic from model scores to human scores, fitted on clean scores and then frozen.

q(x) = (b1 - b2) / (1 + exp(-(x - b3) / |b4|)) + b2 (VQEG, final report on FR-TV validation). Refitting it on
attacked scores would hide the damage that the attack did.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares
from scipy.special import expit

from robustiqa.statistics._arrays import FloatArray, as_pair, as_vector
from robustiqa.statistics.correlation import plcc, undefined_reason

_PARAMETERS = 4
_MAX_EVALUATIONS = 300
# Of |b4|, in units of the spread of the scores: bounds (a step, almost a line) and starts between them.
_WIDTHS = (1e-3, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
# How far b3 may lie outside the clean scores, in units of |b4|.
_MAX_OFFSET = 5.0
# Share of the variance by which the curve may miss a straight line: what the upper bound of |b4| costs.
_LINE_SLACK = 1e-6


@dataclass(frozen=True)
class LogisticMap:
    """A fitted, frozen map from scores to the human scale; monotone.

    Attributes:
        parameters: (b1, b2, b3, b4) with b4 > 0 when the fit converged, else (slope, intercept) of the
            least-squares line, NaN where even that is undefined.
        failure: why the logistic was not fitted, None when it was; to be printed as a flag.
    """

    parameters: tuple[float, ...]
    failure: str | None = None

    @property
    def converged(self) -> bool:
        """Whether this is the logistic; otherwise it is the straight line."""
        return self.failure is None

    @property
    def increasing(self) -> bool:
        """Whether a higher score maps to a higher human score."""
        return self.parameters[0] >= self.parameters[1] if self.converged else self.parameters[0] >= 0

    def __call__(self, scores: ArrayLike) -> FloatArray:
        """Scores [n] on the human scale. Raises InvalidInput when they are not a 1-D array."""
        x = as_vector("scores", scores)
        if self.converged:
            return _logistic(x, *self.parameters)
        slope, intercept = self.parameters
        return slope * x + intercept


def fit_logistic(scores: ArrayLike, human: ArrayLike) -> LogisticMap:
    """Fit the map on CLEAN scores [n] by least squares; a straight line, ``converged`` False, if that fails.

    Raises InvalidInput when scores and human are not two 1-D arrays of one length.
    """
    x, y = as_pair(scores, human, names=("scores", "human"))
    reason = undefined_reason(x, y)
    if reason is not None:
        return LogisticMap((math.nan, math.nan), failure=reason)
    line = _fit_line(x, y)
    if x.size <= _PARAMETERS:
        return LogisticMap(line, failure=f"{x.size} samples for {_PARAMETERS} parameters")
    parameters, failure = _fit_curve(x, y)
    if failure is not None:
        return LogisticMap(line, failure=failure)
    curve, straight = LogisticMap(parameters), LogisticMap(line, failure="it fits worse than a straight line")
    slack = _LINE_SLACK * _squared_error(y, np.full_like(y, y.mean()))
    if _squared_error(curve(x), y) > _squared_error(straight(x), y) + slack:
        return straight
    return curve


def plcc_after_logistic(fitted: LogisticMap, scores: ArrayLike, human: ArrayLike) -> float:
    """PLCC between mapped scores and human scores, in [-1, 1]; NaN when undefined (see ``correlation``).

    Signed like SROCC: the decreasing map of a model that ranks upside down does not turn it the right way up.
    Raises InvalidInput when scores and human are not two 1-D arrays of one length.
    """
    value = plcc(fitted(scores), human)
    return value if fitted.increasing else -value


def _logistic(x: FloatArray, b1: float, b2: float, b3: float, b4: float) -> FloatArray:
    curve: FloatArray = (b1 - b2) * expit((x - b3) / b4) + b2
    return curve


def _fit_line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    centred = x - x.mean()
    variation = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / variation if variation > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def _fit_curve(x: FloatArray, y: FloatArray) -> tuple[tuple[float, float, float, float], str | None]:
    # Scores come in any unit and may hold outliers: in robust units one set of starts and bounds serves all.
    centre, unit = float(np.median(x)), _spread(x)
    z = (x - centre) / unit

    def residuals(p: FloatArray) -> FloatArray:
        return _project(z, y, p)[1] - y

    fit = least_squares(
        residuals,
        x0=_best_start(z, y),
        bounds=([-np.inf, math.log(_WIDTHS[0])], [np.inf, math.log(_WIDTHS[-1])]),
        max_nfev=_MAX_EVALUATIONS,
    )
    (b1, b2, mid, width), _ = _project(z, y, fit.x)
    parameters = (b1, b2, centre + unit * mid, unit * width)
    return parameters, None if fit.success else f"no convergence in {_MAX_EVALUATIONS} evaluations"


def _project(
    z: FloatArray, y: FloatArray, p: FloatArray
) -> tuple[tuple[float, float, float, float], FloatArray]:
    """Parameters and curve of the best logistic of one middle and log width: b1 and b2 enter linearly."""
    width = math.exp(p[1])
    # Exponential-like data push the middle, and with it b1 or b2, to infinity; scores beyond the clean range
    # would then explode.
    mid = float(np.clip(p[0], z.min() - _MAX_OFFSET * width, z.max() + _MAX_OFFSET * width))
    slope, b2 = _fit_line(_logistic(z, 1.0, 0.0, mid, width), y)
    return (b2 + slope, b2, mid, width), _logistic(z, b2 + slope, b2, mid, width)


def _best_start(z: FloatArray, y: FloatArray) -> FloatArray:
    mids = np.quantile(z, np.linspace(0.05, 0.95, 10))
    starts = [np.array([mid, math.log(width)]) for mid in mids for width in _WIDTHS[1:-1]]
    return min(starts, key=lambda start: _squared_error(_project(z, y, start)[1], y))


def _spread(x: FloatArray) -> float:
    low, high = np.quantile(x, (0.16, 0.84))
    return float(high - low) / 2 or float(x.std())


def _squared_error(predicted: FloatArray, target: FloatArray) -> float:
    return float(np.square(predicted - target).sum())
