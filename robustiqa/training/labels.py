"""Training labels: KADID-10k's means, moved from content to content as classical metrics rank it (distillation).

A published mean says nothing of a single image: the same JPEG quality hurts a smooth sky more than grass. Around the
mean of its type and level each pair's label deviates by how its teachers' verdict deviates from the mean verdict at
that level; averaged over contents, labels are the published means. Compositions, for which nothing is published, get
what the teachers' verdict maps to over all composable types.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.isotonic import IsotonicRegression

from robustiqa.datasets.expected_scores import PRISTINE, WORST, expected_score
from robustiqa.training.synthesis import COMPOSABLE, Draft

Vector = NDArray[np.float64]
BANDWIDTH = 0.5  # of the mean over contents at a level, in levels


@dataclass(frozen=True)
class Distillation:
    """How far labels follow the teachers: 0 keeps the published means, 1 trusts the teachers fully."""

    strength: float = 1.0


def make_labels(drafts: Sequence[Draft], teachers: Vector, distillation: Distillation) -> Vector:
    """Labels [n] from 1 (worst) to 5 (best) for drafts with teachers' scores [n, T]."""
    verdict = np.mean([rankdata(column) for column in teachers.T], axis=0) / len(drafts)
    codes = np.array([draft.steps[0][0] if len(draft.steps) == 1 else -1 for draft in drafts])
    levels = np.array([draft.steps[0][1] for draft in drafts])
    labels = np.full(len(drafts), np.nan)
    for code in np.unique(codes[codes > 0]):
        rows = codes == code
        means = np.array([expected_score(int(code), level) for level in levels[rows]])
        labels[rows] = means + distillation.strength * _deviation(verdict[rows], means, levels[rows])
    common = np.isin(codes, COMPOSABLE)
    composed = codes < 0
    if composed.any():
        labels[composed] = _monotone(verdict[common], labels[common]).predict(verdict[composed])
    return np.asarray(np.clip(labels, WORST, PRISTINE + 0.2))


def _deviation(verdict: Vector, means: Vector, levels: Vector) -> Vector:
    """How much better or worse the teachers find each pair than the mean pair at its level."""
    quality = _monotone(verdict, means).predict(verdict)
    weights = np.exp(-0.5 * ((levels[:, None] - levels[None]) / BANDWIDTH) ** 2)
    typical: Vector = weights @ quality / weights.sum(1)
    return np.asarray(quality - typical)


def _monotone(verdict: Vector, labels: Vector) -> IsotonicRegression:
    return IsotonicRegression(out_of_bounds="clip").fit(verdict, labels)
