"""What a training run is watched by: correlations with the labels of references it does not train on."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from robustiqa.core.images import to_tensor
from robustiqa.core.model import QualityModel
from robustiqa.statistics import plcc, srocc, srocc_within_type
from robustiqa.training.pairs import Shelf

STRIDE = 11  # coprime to the number of types and strata, so that a stride through a shelf meets them all


def validate(
    model: QualityModel, shelves: Sequence[Shelf], labels: Sequence[NDArray[np.float64]], orientation: int = 1
) -> dict[str, float]:
    """SROCC, pooled and within type, and PLCC of ``orientation`` * score, on every ``STRIDE``-th pair of each
    validation shelf, whole windows.
    """
    predictions, targets, types = [], [], []
    for offset, (shelf, values) in enumerate(zip(shelves, labels, strict=True)):
        for i in range(offset % STRIDE, len(values), STRIDE):
            ref, dist = (to_tensor(np.ascontiguousarray(crop))[None] for crop in shelf.pair(i))
            with torch.no_grad():
                predictions.append(orientation * float(model(ref, dist)))
            targets.append(float(values[i].mean()))
            types.append("+".join(str(code) for code, _ in shelf.drafts[i].steps))
    return {
        "validation_srocc": srocc(targets, predictions),
        "validation_within_type": srocc_within_type(targets, predictions, types).mean,
        "validation_plcc": plcc(targets, predictions),
    }
