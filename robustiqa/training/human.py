"""Training on a dataset's own human scores: crops of its images, and a part of it as a watch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.random import derive_seed
from robustiqa.datasets.base import Pair, PairDataset
from robustiqa.statistics import plcc, srocc
from robustiqa.training.batches import Batch

LOWEST, HIGHEST = 1.0, 5.0  # KADID-10k's scale, which the loss of the paper is weighted for
WATCHED: Final = 200  # pairs at most, so that watching stays short beside training


def labels_of(dataset: PairDataset, train: Sequence[Pair]) -> NDArray[np.float64]:
    """Human quality of all pairs [n], mapped linearly to 1 (worst) to 5 (best).

    The ends are those of the published scale; without one, the worst and best of ``train``, so that nothing is learned
    from the other parts.

    Raises:
        InvalidInput: no scale is published and all of ``train`` has one score.
    """
    if dataset.score_range is not None:
        return LOWEST + (HIGHEST - LOWEST) * dataset.unit_quality()
    names = {pair.id for pair in train}
    quality = dataset.quality()
    seen = quality[[pair.id in names for pair in dataset.pairs]]
    worst, best = float(seen.min()), float(seen.max())
    if worst == best:
        raise InvalidInput(f"{dataset.name}: all {len(seen)} pairs of the train part have one score; nothing to learn.")
    return LOWEST + (HIGHEST - LOWEST) * (quality - worst) / (best - worst)


@dataclass(frozen=True)
class HumanSampler:
    """Draws batches of crops of ``pairs`` with their images' ``labels`` [n].

    ``sizes`` holds (crop size, crops per batch, probability). A crop has the label of its whole image, as usual for
    lack of a better one. Images smaller than the size drawn make the crops of their batch as small as they are.
    Pairs of identical images are not added, unlike in KADID-style training: nobody scored them.
    """

    dataset: PairDataset
    pairs: Sequence[Pair]
    labels: NDArray[np.float64]
    sizes: Sequence[tuple[int, int, float]]
    seed: int

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, a function of (seed, step)."""
        rng = np.random.default_rng(derive_seed("human batch", self.seed, step))
        size, count, _ = self.sizes[int(rng.choice(len(self.sizes), p=[p for _, _, p in self.sizes]))]
        chosen = rng.integers(len(self.pairs), size=count)
        images = [torch.stack(self.dataset.images(self.pairs[i])) for i in chosen]
        side = min(size, *(min(image.shape[2:]) for image in images))
        crops = torch.stack([_crop(image, side, rng) for image in images])
        labels = torch.tensor(self.labels[chosen], dtype=torch.float32)
        return Batch(crops[:, 0].contiguous(), crops[:, 1].contiguous(), labels)


def _crop(pair: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """A random window of both images [2, 3, H, W], turned and mirrored alike."""
    height, width = pair.shape[2:]
    top, left = (int(rng.integers(0, size - side + 1)) for size in (height, width))
    crop = torch.rot90(pair[..., top : top + side, left : left + side], int(rng.integers(4)), (2, 3))
    return crop.flip(3) if rng.integers(2) else crop


def watch(
    model: QualityModel, dataset: PairDataset, pairs: Sequence[Pair], labels: NDArray[np.float64]
) -> dict[str, float]:
    """SROCC and PLCC of quality on whole images: at most ``WATCHED`` of ``pairs``, evenly spread over them."""
    if not pairs:
        return {}
    chosen = np.linspace(0, len(pairs) - 1, min(WATCHED, len(pairs))).round().astype(int)
    with torch.no_grad():
        scores = [float(model(*(image[None] for image in dataset.images(pairs[i])))) for i in chosen]
    quality = model.info.orientation * np.array(scores)
    return {"validation_srocc": srocc(labels[chosen], quality), "validation_plcc": plcc(labels[chosen], quality)}
