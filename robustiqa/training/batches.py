"""Random crops of random training pairs, reproducible step by step: a resumed run draws what an unbroken one would."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.core.random import derive_seed
from robustiqa.datasets.expected_scores import PRISTINE
from robustiqa.training.pairs import Shelf


@dataclass(frozen=True)
class Batch:
    """References and distorted crops [N, 3, S, S] in [0, 1] and labels [N]."""

    ref: Tensor
    dist: Tensor
    label: Tensor


@dataclass(frozen=True)
class Sampler:
    """Draws batches: ``sizes`` holds (crop size, crops per batch, probability).

    A share ``identical`` of the crops is compared with itself, at the score of a pristine image: the published levels
    hold hardly any such pair, and a network that never saw one may score it below slight noise.
    """

    shelves: Sequence[Shelf]
    labels: Sequence[NDArray[np.float64]]
    sizes: Sequence[tuple[int, int, float]]
    seed: int
    identical: float = 0.0

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, a function of (seed, step)."""
        rng = np.random.default_rng(derive_seed("batch", self.seed, step))
        size, count, _ = self.sizes[int(rng.choice(len(self.sizes), p=[p for _, _, p in self.sizes]))]
        refs, dists, labels = zip(*(self._crop(rng, size) for _ in range(count)), strict=True)
        return Batch(_stack(refs), _stack(dists), torch.tensor(labels, dtype=torch.float32))

    def _crop(self, rng: np.random.Generator, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        which = int(rng.integers(len(self.shelves)))
        pair = int(rng.integers(len(self.labels[which])))
        full = self.shelves[which].distorted.shape[1]
        top, left = rng.integers(0, full - size + 1, 2)
        turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
        crops = []
        for image in self.shelves[which].pair(pair):
            crop = np.rot90(image[top : top + size, left : left + size], turns)
            crops.append(crop[:, ::-1] if mirror else crop)
        if rng.random() < self.identical:
            return crops[0], crops[0], PRISTINE
        return crops[0], crops[1], float(self.labels[which][pair])


def _stack(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    stacked = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
    return torch.from_numpy(stacked).float() / 255
