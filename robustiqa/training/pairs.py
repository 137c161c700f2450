"""The training set on disk: one file of distorted crops and one table per reference, made once, by two processes."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.images import read_rgb, to_tensor
from robustiqa.core.random import derive_seed
from robustiqa.training.synthesis import CONTRAST, UNPUBLISHED, Draft, Recipe, drafts, render
from robustiqa.training.teachers import TEACHERS, teacher_scores, tiles

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Shelf:
    """All pairs of one reference: crop windows, distorted crops [n, S, S, 3], drafts, and the scores
    [n, K, T] that T teachers gave to each of the K tiles, row by row, of side ``tile``.
    """

    reference: str
    pristine: Pixels
    corners: NDArray[np.int64]
    distorted: Pixels
    drafts: tuple[Draft, ...]
    teachers: NDArray[np.float64]
    tile: int

    @property
    def across(self) -> int:
        """Tiles a side of a window."""
        return int(self.distorted.shape[1]) // self.tile

    def pair(self, i: int) -> tuple[Pixels, Pixels]:
        """Reference and distorted crop [S, S, 3] of pair ``i``."""
        top, left = self.corners[i]
        size = self.distorted.shape[1]
        return self.pristine[top : top + size, left : left + size], self.distorted[i]


def make_shelves(
    images: Sequence[Path], folder: Path, recipe: Recipe, seed: int, jobs: int
) -> Iterable[Shelf]:
    """The shelves of ``images``, read from ``folder`` where they exist and made there where they do not."""
    folder.mkdir(parents=True, exist_ok=True)
    make = partial(_make, folder=folder, recipe=recipe, seed=seed)
    missing = [image for image in images if not _paths(image, folder)[1].exists()]
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            list(pool.map(make, missing))
    else:
        for image in missing:
            make(image)
    return [_read(image, folder, recipe, seed) for image in images]


def _make(image: Path, folder: Path, recipe: Recipe, seed: int) -> None:
    torch.set_num_threads(1)
    pristine, plan = read_rgb(image), list(drafts(image.stem, recipe, seed))
    corners = _corners(pristine, plan, recipe.crop, seed)
    crops: list[Pixels] = []
    rows: list[NDArray[np.float64]] = []
    for draft, (top, left) in zip(plan, corners, strict=True):
        window = pristine[top : top + recipe.crop, left : left + recipe.crop]
        crops.append(render(window, draft, seed))
        judged = crops[-1] if draft.judged == draft else render(window, draft.judged, seed)
        ref, dist = (tiles(to_tensor(image), recipe.tile) for image in (window, judged))
        rows.extend(teacher_scores(ref, dist, contrast=draft.code in (CONTRAST, *UNPUBLISHED[CONTRAST].kin)))
    pixels, table = _paths(image, folder)
    np.save(pixels, np.stack(crops))
    lines = [",".join(TEACHERS)] + [",".join(f"{value:.9g}" for value in row) for row in rows]
    write_atomically(table, "\n".join(lines) + "\n")


def _read(image: Path, folder: Path, recipe: Recipe, seed: int) -> Shelf:
    pristine, plan = read_rgb(image), tuple(drafts(image.stem, recipe, seed))
    pixels, table = _paths(image, folder)
    with table.open(encoding="utf-8") as file:
        teachers = np.array([[float(v) for v in row] for row in list(csv.reader(file))[1:]])
    distorted = np.load(pixels, mmap_mode="r")
    by_tile = teachers.reshape(len(plan), -1, len(TEACHERS))
    corners = _corners(pristine, plan, recipe.crop, seed)
    return Shelf(image.stem, pristine, corners, distorted, plan, by_tile, recipe.tile)


def _paths(image: Path, folder: Path) -> tuple[Path, Path]:
    """Pixels and table of a photograph, by name and content: another photograph of the same name is another shelf."""
    name = f"{image.stem}-{hashlib.sha256(image.read_bytes()).hexdigest()[:16]}"
    return folder / f"{name}.npy", folder / f"{name}.csv"


def _corners(pristine: Pixels, plan: Sequence[Draft], crop: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(derive_seed("corners", seed, plan[0].reference))
    height, width = pristine.shape[:2]
    if min(height, width) < crop:
        raise InvalidInput(
            f"{plan[0].reference}: {width}x{height} is below the training window of {crop} pixels; "
            "leave it out or lower the recipe's pair_size."
        )
    return rng.integers(0, (height - crop + 1, width - crop + 1), size=(len(plan), 2))
