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
_MAX_EVALUATIONS = 1000
# Of |b4|, in standard deviations of the scores: a step at one end, a straight line at the other.
_WIDTH_BOUNDS = (1e-3, 1e3)


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
    curve = LogisticMap(parameters)
    fallback = LogisticMap(line, failure=failure or "the logistic fits worse than a straight line")
    if failure is not None or _squared_error(curve(x), y) > _squared_error(fallback(x), y):
        return fallback
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
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return slope, float(y.mean() - slope * x.mean())


def _fit_curve(x: FloatArray, y: FloatArray) -> tuple[tuple[float, float, float, float], str | None]:
    # Scores come in any unit; on standardised axes one start and one tolerance serve all of them.
    (x_mean, x_std), (y_mean, y_std) = (x.mean(), x.std()), (y.mean(), y.std())
    z, target = (x - x_mean) / x_std, (y - y_mean) / y_std
    ends = (target.max(), target.min()) if z @ target >= 0 else (target.min(), target.max())
    lower, upper = np.log(_WIDTH_BOUNDS)

    def residuals(p: FloatArray) -> FloatArray:
        b1, b2, b3, log_b4 = p.tolist()
        return _logistic(z, b1, b2, b3, math.exp(log_b4)) - target

    fit = least_squares(
        residuals,
        x0=(*ends, 0.0, math.log(0.5)),
        bounds=([-np.inf, -np.inf, -np.inf, lower], [np.inf, np.inf, np.inf, upper]),
        max_nfev=_MAX_EVALUATIONS,
    )
    b1, b2, b3, log_b4 = (float(p) for p in fit.x)
    parameters = (
        y_mean + y_std * b1,
        y_mean + y_std * b2,
        x_mean + x_std * b3,
        x_std * math.exp(log_b4),
    )
    return parameters, None if fit.success else f"no convergence in {_MAX_EVALUATIONS} evaluations"


def _squared_error(predicted: FloatArray, target: FloatArray) -> float:
    return float(np.square(predicted - target).sum())
