"""Random crops of random training pairs, reproducible step by step: a resumed run draws what an unbroken one would."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

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


class Place(NamedTuple):
    """A labelled tile: which shelf, which of its pairs, which tile of the pair's window."""

    shelf: int
    pair: int
    tile: int


@dataclass(frozen=True)
class Sampler:
    """Draws batches: ``sizes`` holds (crop size, crops per batch, probability); each crop lies within one tile.

    A share ``identical`` of the crops is compared with itself, at ``IDENTICAL``: the published levels hold hardly any
    such pair, and a network that never saw one may score it below slight noise. With a ``band``, the labels of a batch
    lie in an interval of that width around the label of a tile drawn at random, and no tile is drawn twice.
    """

    shelves: Sequence[Shelf]
    labels: Sequence[NDArray[np.float64]]
    sizes: Sequence[tuple[int, int, float]]
    seed: int
    identical: float = 0.0
    band: float | None = None

    def batch(self, step: int) -> Batch:
        """The batch of ``step``, a function of (seed, step)."""
        rng = np.random.default_rng(derive_seed("batch", self.seed, step))
        size, count, _ = self.sizes[int(rng.choice(len(self.sizes), p=[p for _, _, p in self.sizes]))]
        places, reach = self._places(rng)
        crops = (self._crop(rng, size, next(places), identical=reach >= IDENTICAL) for _ in range(count))
        refs, dists, labels = zip(*crops, strict=True)
        return Batch(_stack(refs), _stack(dists), torch.tensor(labels, dtype=torch.float32))

    def _places(self, rng: np.random.Generator) -> tuple[Iterator[Place], float]:
        """Places for one batch, without end, and the highest label that it may hold."""
        if self.band is None:
            return self._anywhere(rng), np.inf
        labels, places = self._by_label
        centre = labels[rng.integers(len(labels))]
        first = int(np.searchsorted(labels, centre - self.band / 2, side="left"))
        last = int(np.searchsorted(labels, centre + self.band / 2, side="right"))
        return _shuffled(rng, places[first:last]), centre + self.band / 2

    def _anywhere(self, rng: np.random.Generator) -> Iterator[Place]:
        while True:
            shelf = int(rng.integers(len(self.shelves)))
            pair = int(rng.integers(len(self.labels[shelf])))
            yield Place(shelf, pair, int(rng.integers(self.shelves[shelf].across ** 2)))

    @cached_property
    def _by_label(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The labels of all tiles, sorted, and their places [n, 3]."""
        labels = np.concatenate([values.ravel() for values in self.labels])
        places = np.concatenate([_grid(i, values.shape) for i, values in enumerate(self.labels)])
        order = np.argsort(labels, kind="stable")
        return labels[order], places[order]

    def _crop(
        self, rng: np.random.Generator, size: int, place: Place, *, identical: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        shelf = self.shelves[place.shelf]
        row, column = divmod(place.tile, shelf.across)
        top, left = np.array((row, column)) * shelf.tile + rng.integers(0, shelf.tile - size + 1, 2)
        turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
        crops = []
        for image in shelf.pair(place.pair):
            crop = np.rot90(image[top : top + size, left : left + size], turns)
            crops.append(crop[:, ::-1] if mirror else crop)
        if rng.random() < self.identical and identical:
            return crops[0], crops[0], IDENTICAL
        return crops[0], crops[1], float(self.labels[place.shelf][place.pair, place.tile])


def _shuffled(rng: np.random.Generator, places: NDArray[np.int64]) -> Iterator[Place]:
    """``places`` [n, 3] in random order, and again in another once all were drawn."""
    while True:
        for place in rng.permutation(places).tolist():
            yield Place(*place)


def _grid(shelf: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Places [n, 3] of a shelf whose labels have ``shape`` (pairs, tiles)."""
    pairs, tiles = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    return np.stack((np.full_like(pairs, shelf), pairs, tiles), 1)


def _stack(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    stacked = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
    return torch.from_numpy(stacked).float() / 255
