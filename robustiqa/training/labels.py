"""Training labels: KADID-10k's means, moved from content to content as classical metrics rank it (distillation).

A published mean says nothing of a single image: the same JPEG quality hurts a smooth sky more than grass. Around the
mean of its type and level each label deviates by how the teachers' verdict deviates from the mean verdict at that
level. Across the common types (blurs, codecs, noises, warps) the published means and the teachers disagree, and no
network that sees maps rather than names of types can follow the former far: there labels move a share
``calibration`` of the way to what the verdict maps to over all these types. What has no published mean gets what
the verdict maps to over the published types of its kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.isotonic import IsotonicRegression

from robustiqa.datasets.expected_scores import PRISTINE, WORST, expected_score
from robustiqa.training.synthesis import CHROMA, COMPOSABLE, CONTRAST, OFFSET, UNPUBLISHED, Draft
from robustiqa.training.teachers import GENERAL, TEACHERS

Vector = NDArray[np.float64]
COMPOSITION = -100  # stands for the code of a pair of several types
SPECIALISTS = {CONTRAST: "vif", OFFSET: "psnr", CHROMA: "mdsi"}  # judge these, and their published kin, alone
BANDWIDTH = 0.5  # of the mean over contents at a level, in levels


@dataclass(frozen=True)
class Distillation:
    """How far labels follow the teachers, each from 0 (published means) to 1 (the teachers fully).

    Attributes:
        strength: within a type and level, from content to content.
        calibration: from type to type, among the common ones.
    """

    strength: float = 1.0
    calibration: float = 0.0


def make_labels(drafts: Sequence[Draft], teachers: Vector, distillation: Distillation) -> Vector:
    """Labels [n, K] from 1 (worst) to 5 (best) for the K tiles of n drafts, from teachers' scores [n, K, T]."""
    tiles = teachers.shape[1]
    rows = [draft for draft in drafts for _ in range(tiles)]
    codes = np.array([COMPOSITION if draft.code is None else draft.code for draft in rows])
    verdict = _verdict(teachers.reshape(len(rows), -1), codes)
    levels = np.array([draft.steps[0][1] for draft in rows])
    labels = np.full(len(rows), np.nan)
    for code in np.unique(codes[codes > 0]):
        chosen = codes == code
        means = np.array([expected_score(int(code), level) for level in levels[chosen]])
        labels[chosen] = means + distillation.strength * _deviation(verdict[chosen], means, levels[chosen])
    common = np.isin(codes, COMPOSABLE)
    if common.any():
        verdicts = _monotone(verdict[common], labels[common]).predict(verdict[common])
        labels[common] += distillation.calibration * (verdicts - labels[common])
    for code in np.unique(codes[codes <= 0]):
        kin = np.isin(codes, COMPOSABLE if code == COMPOSITION else UNPUBLISHED[int(code)].kin)
        labels[codes == code] = _monotone(verdict[kin], labels[kin]).predict(verdict[codes == code])
    return np.asarray(np.clip(labels, WORST, PRISTINE)).reshape(-1, tiles)


def _verdict(teachers: Vector, codes: NDArray[np.int64]) -> Vector:
    """Mean rank among all tiles; those of a kind that has a specialist are ranked among themselves, by it alone."""
    verdict: Vector = np.mean([rankdata(column) for column in teachers[:, GENERAL].T], axis=0) / len(teachers)
    for code, teacher in SPECIALISTS.items():
        chosen = np.isin(codes, (code, *UNPUBLISHED[code].kin))
        if chosen.any():
            verdict[chosen] = rankdata(teachers[chosen, TEACHERS.index(teacher)]) / chosen.sum()
    return verdict


def _deviation(verdict: Vector, means: Vector, levels: Vector) -> Vector:
    """How much better or worse the teachers find each pair than the mean pair at its level."""
    quality = _monotone(verdict, means).predict(verdict)
    weights = np.exp(-0.5 * ((levels[:, None] - levels[None]) / BANDWIDTH) ** 2)
    typical: Vector = weights @ quality / weights.sum(1)
    return np.asarray(quality - typical)


def _monotone(verdict: Vector, labels: Vector) -> IsotonicRegression:
    return IsotonicRegression(out_of_bounds="clip").fit(verdict, labels)
