"""Images in batches: read ahead, and kept where the next cell will ask for the same ones."""

from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.images import center_crop
from robustiqa.core.prefetch import prefetched
from robustiqa.datasets.base import Pair, PairDataset

ROOM: Final = 256 * 2**20  # bytes; a few hundred pairs of cropped images


@dataclass(frozen=True)
class Batch:
    """Pairs of equal size, read and cropped: images [N, 3, H, W]."""

    pairs: tuple[Pair, ...]
    ref: Tensor
    dist: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.dist.shape[3], self.dist.shape[2]

    def split(self, count: int) -> list["Batch"]:
        """Up to ``count`` batches of about equal size."""
        size = -(-len(self.pairs) // count)
        starts = range(0, len(self.pairs), size)
        return [Batch(self.pairs[i : i + size], self.ref[i : i + size], self.dist[i : i + size]) for i in starts]

    def select(self, index: Sequence[int]) -> "Batch":
        """The samples in ``index``."""
        return Batch(tuple(self.pairs[i] for i in index), self.ref[list(index)], self.dist[list(index)])


class Images:
    """The images of pairs, cropped.

    Those used last stay in memory, up to ``room`` bytes: cell after cell is on the same images, and reading one takes
    as long as several steps on a small crop.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._used = room, 0
        self._kept: OrderedDict[tuple[str, str, int | None], tuple[Tensor, Tensor]] = OrderedDict()

    def batches(
        self, dataset: PairDataset, pairs: Sequence[Pair], crop: int | None, size: int, device: torch.device
    ) -> Generator[Batch]:
        """In batches of up to ``size``; neighbours of equal shape share one. The next one is read meanwhile."""
        return prefetched(self._batches(dataset, pairs, crop, size, device))

    def _batches(
        self, dataset: PairDataset, pairs: Sequence[Pair], crop: int | None, size: int, device: torch.device
    ) -> Iterator[Batch]:
        manifest = dataset.manifest()
        loaded = ((pair, *self._load(dataset, manifest, pair, crop)) for pair in pairs)
        for _, group in groupby(loaded, key=lambda item: item[1].shape):
            chunk: list[tuple[Pair, Tensor, Tensor]] = []
            for item in group:
                chunk.append(item)
                if len(chunk) == size:
                    yield _stack(chunk, device)
                    chunk = []
            if chunk:
                yield _stack(chunk, device)

    def _load(self, dataset: PairDataset, manifest: str, pair: Pair, crop: int | None) -> tuple[Tensor, Tensor]:
        key = manifest, pair.id, crop
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        ref, dist = (center_crop(image, crop).clone() for image in dataset.images(pair))  # not a window of the whole
        self._kept[key] = ref, dist
        self._used += ref.nbytes + dist.nbytes
        while self._used > self._room:
            _, oldest = self._kept.popitem(last=False)
            self._used -= sum(image.nbytes for image in oldest)
        return ref, dist


def _stack(chunk: Sequence[tuple[Pair, Tensor, Tensor]], device: torch.device) -> Batch:
    pairs, refs, dists = zip(*chunk, strict=True)
    return Batch(pairs, torch.stack(refs).to(device), torch.stack(dists).to(device))
