"""Datasets whose images lie in a folder: paths are resolved below its root and nowhere else."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.core.images import read_image
from robustiqa.datasets.base import Pair, PairDataset


@dataclass(frozen=True)
class FolderPairs(PairDataset):
    """``paths`` maps pair ids to (reference file, distorted file), both relative to ``root``."""

    root: Path
    paths: Mapping[str, tuple[str, str]]

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        reference, distorted = (read_image(inside(self.root, name)) for name in self.paths[pair.id])
        if reference.shape != distorted.shape:
            raise InvalidInput(f"{pair.id}: reference {tuple(reference.shape)}, distorted {tuple(distorted.shape)}.")
        return reference, distorted


def inside(root: Path, name: str) -> Path:
    """``root / name``, unless that leaves ``root``.

    Raises:
        DatasetLayoutError: an absolute path, ``..`` or a link that leads out of the dataset's folder.
    """
    if "\0" in name or not (path := (root / name).resolve()).is_relative_to(root.resolve()):
        raise DatasetLayoutError(f"{name!r} leads out of the dataset's folder {root}.")
    return path


def require(root: Path | None, dataset: str, entries: Iterable[str], layout: str) -> Path:
    """``root`` if it is a folder that holds all ``entries``.

    Raises:
        DatasetLayoutError: names what is missing and the layout that was expected.
    """
    if root is None:
        raise DatasetLayoutError(f"{dataset} needs its folder: write {dataset}=/path/to/folder. Expected: {layout}.")
    if not root.is_dir():
        raise DatasetLayoutError(f"{dataset}: {root} is not a folder. Expected: {layout}.")
    missing = [entry for entry in entries if not (root / entry).exists()]
    if missing:
        raise DatasetLayoutError(f"{dataset}: {root} has no {', '.join(missing)}. Expected: {layout}.")
    return root


def read_table(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV file that has at least ``columns``.

    Raises:
        DatasetLayoutError: a column is missing.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise DatasetLayoutError(f"{path} has no column {', '.join(missing)}; it has {reader.fieldnames}.")
        return list(reader)
