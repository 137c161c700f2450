"""Random crops of random training pairs, reproducible step by step: a resumed run draws what an unbroken one would."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.core.random import derive_seed
from robustiqa.datasets.expected_scores import PRISTINE
from robustiqa.training.pairs import Shelf

IDENTICAL = PRISTINE + 0.2  # no other pair is labelled above PRISTINE


@dataclass(frozen=True)
class Batch:
    """References and distorted crops [N, 3, S, S] in [0, 1] and labels [N]."""

    ref: Tensor
    dist: Tensor
    label: Tensor


class Batches(Protocol):
    """Whatever draws batches."""

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, the same whenever it is asked for."""


@dataclass(frozen=True)
class Sampler:
    """Draws batches: ``sizes`` holds (crop size, crops per batch, probability); each crop lies within one tile.

    A share ``identical`` of the crops is compared with itself, at ``IDENTICAL``: the published levels hold hardly any
    such pair, and a network that never saw one may score it below slight noise.
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
        shelf = self.shelves[which]
        across = shelf.distorted.shape[1] // shelf.tile
        tile = int(rng.integers(across * across))
        row, column = divmod(tile, across)
        top, left = np.array((row, column)) * shelf.tile + rng.integers(0, shelf.tile - size + 1, 2)
        turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
        crops = []
        for image in shelf.pair(pair):
            crop = np.rot90(image[top : top + size, left : left + size], turns)
            crops.append(crop[:, ::-1] if mirror else crop)
        if rng.random() < self.identical:
            return crops[0], crops[0], IDENTICAL
        return crops[0], crops[1], float(self.labels[which][pair, tile])


def _stack(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    stacked = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
    return torch.from_numpy(stacked).float() / 255
