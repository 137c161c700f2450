"""What a training run is watched by: correlations with the labels of references it does not train on."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.attacks.pgd import PGD
from robustiqa.core.images import center_crop, to_tensor
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import Objective
from robustiqa.statistics import plcc, robust_range, srocc, srocc_within_type, tomean_signs
from robustiqa.training.pairs import Shelf

EPS: Final = 8 / 255
BATCH: Final = 8
STRIDE: Final = 11  # coprime to the number of types and strata, so that a stride through a shelf meets them all


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


def validate_attacked(
    model: QualityModel,
    shelves: Sequence[Shelf],
    labels: Sequence[NDArray[np.float64]],
    pairs: int,
    size: int,
) -> dict[str, float]:
    """What PGD-10 at 8/255 does to ``pairs`` crops of ``size`` pixels, taken from all validation shelves in turn.

    ``validation_gain`` is the mean rise of quality upwards over the q01-q99 range of the clean scores of these crops;
    ``validation_attacked_srocc`` is under ``tomean``: up below the mean of their labels, down above it.
    """
    refs, dists, targets = _crops(shelves, labels, pairs, size)
    everyone = np.arange(len(targets))
    lowered = everyone[tomean_signs(targets) < 0]
    clean, attacked = _attacked(model, refs, dists, "up", everyone)
    width = robust_range(clean).width or math.nan
    gain = float((attacked - clean).mean()) / width
    attacked[lowered] = _attacked(model, refs, dists, "down", lowered)[1]
    return {"validation_gain": gain, "validation_attacked_srocc": srocc(targets, attacked)}


def _attacked(
    model: QualityModel, refs: Tensor, dists: Tensor, direction: str, chosen: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Qualities [2, n] of the ``chosen`` pairs before and after PGD-10."""
    scores = []
    for part in np.array_split(chosen, -(-len(chosen) // BATCH)) if len(chosen) else []:
        objective = Objective(model, refs[part], direction)
        result = PGD().run(objective, dists[part], EPS, ids=[str(i) for i in part])
        scores.append(torch.stack((result.clean_score, result.attacked_score)))
    both = torch.cat(scores, 1) if scores else torch.zeros(2, 0)
    return model.info.orientation * both.double().numpy(force=True)


def _crops(
    shelves: Sequence[Shelf], labels: Sequence[NDArray[np.float64]], pairs: int, size: int
) -> tuple[Tensor, Tensor, NDArray[np.float64]]:
    """References, distorted crops [n, 3, size, size] of the first tiles of windows, and those tiles' labels [n]."""
    refs, dists, targets = [], [], []
    for n in range(pairs):
        shelf, values = shelves[n % len(shelves)], labels[n % len(shelves)]
        i = STRIDE * n % len(values)
        tiles = (to_tensor(image[: shelf.tile, : shelf.tile]) for image in shelf.pair(i))
        ref, dist = (center_crop(tile, size) for tile in tiles)
        refs.append(ref)
        dists.append(dist)
        targets.append(float(values[i, 0]))
    return torch.stack(refs), torch.stack(dists), np.array(targets)
