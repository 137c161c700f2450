"""The anchored ranking loss of the BiRQA paper (eq. 3), and the bounds of its Theorem 1 as printed and as corrected.

The printed proof (Appendix A, step 5) drops a factor |S|: the loss is a mean over |S| N pairs, and one misplaced sample
fills one column of it, so that L >= Delta m² / (2 |S| N R) and not Delta m² / (2 N R). It also supposes anchors on both
sides of every label and prediction; beyond the outermost anchors no order can be violated and nothing bounds the error.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
SLACK = 1e-9  # relative: conditions are met up to rounding


def anchored_loss(labels: ArrayLike, predictions: ArrayLike, anchors: ArrayLike) -> float:
    """Eq. (3): mean over anchors i and all samples j of max(0, R_ij) / max R, R_ij = (y_i - y_j) sign(y~_j - y~_i).

    Args:
        labels, predictions: y and y~ [N].
        anchors: indices of S into them.

    Returns:
        In [0, 1]; 0 where no pair is out of order.
    """
    y, predicted, chosen = np.asarray(labels, float), np.asarray(predictions, float), np.asarray(anchors, int)
    ranking = (y[:, None] - y[None]) * np.sign(predicted[None] - predicted[:, None])
    largest = np.abs(ranking).max(initial=0.0)
    if largest == 0:
        return 0.0
    return float(np.maximum(ranking[chosen], 0).sum() / (len(chosen) * len(y) * largest))


def bound_paper(delta: float, lam: float, spacing: float, eps: float, spread: float, samples: int) -> float:
    """Eq. (5) as printed: eps + lam (1 + sqrt(2 delta N R / Delta)). It is wrong; kept to be shown beside the other.

    Args:
        delta: bound on the anchored loss.
        lam, spacing: largest and smallest gap (lambda, Delta) between labels of neighbouring anchors.
        eps: largest error of an anchor.
        spread: R, largest difference of labels.
        samples: N.
    """
    return eps + lam * (1 + math.sqrt(2 * delta * samples * spread / spacing))


def bound_corrected(
    delta: float, lam: float, spacing: float, eps: float, spread: float, samples: int, anchors: int
) -> float:
    """The same with the factor |S| (``anchors``) inside the root.

    It holds where every label and prediction lies within lambda (predictions: lambda + eps) of the anchors' labels, and
    no label is nearer than Delta to another anchor's: :attr:`Anchoring.conditions_hold`. Proof: a sample that
    overshoots by e > eps passes at least (e - eps) / lambda - 1 =: m anchors of higher label, the k-th of which is at
    least k Delta above it, so that L >= Delta m² / (2 |S| N R).
    """
    return eps + lam * (1 + math.sqrt(2 * delta * samples * anchors * spread / spacing))


@dataclass(frozen=True)
class Anchoring:
    """A mini-batch measured against Theorem 1.

    Attributes:
        loss: eq. (3), which stands for delta.
        error: E, the largest error of a prediction.
        bound_paper, bound_corrected: what the two bounds say E is at most; inf with fewer than two distinct anchors.
        conditions_hold: whether the corrected bound applies.
    """

    loss: float
    error: float
    bound_paper: float
    bound_corrected: float
    conditions_hold: bool

    @classmethod
    def of(cls, labels: ArrayLike, predictions: ArrayLike, anchors: ArrayLike) -> Self:
        """Measure labels and predictions [N] with the samples ``anchors`` left clean."""
        y, predicted, chosen = np.asarray(labels, float), np.asarray(predictions, float), np.asarray(anchors, int)
        loss, error = anchored_loss(y, predicted, chosen), float(np.abs(predicted - y).max())
        gaps = np.diff(np.sort(y[chosen]))
        spacing = min(float(gaps.min(initial=np.inf)), _nearest(y, chosen))
        if len(gaps) == 0 or spacing <= 0:
            return cls(loss, error, math.inf, math.inf, conditions_hold=False)
        lam, eps = float(gaps.max()), float(np.abs(predicted - y)[chosen].max())
        spread = float(np.ptp(y))
        return cls(
            loss,
            error,
            bound_paper(loss, lam, spacing, eps, spread, len(y)),
            bound_corrected(loss, lam, spacing, eps, spread, len(y), len(chosen)),
            _covered(y, y[chosen], lam) and _covered(predicted, y[chosen], lam + eps),
        )


def _nearest(y: Vector, anchors: NDArray[np.int64]) -> float:
    """Smallest distance between an anchor's label and another sample's."""
    distance = np.abs(y[anchors][:, None] - y[None])
    distance[np.arange(len(anchors)), anchors] = np.inf
    return float(distance.min(initial=np.inf))


def _covered(values: Vector, anchors: Vector, reach: float) -> bool:
    slack = SLACK * max(1.0, float(np.abs(anchors).max()))
    return bool((values >= anchors.min() - reach - slack).all() and (values <= anchors.max() + reach + slack).all())
