"""Datasets whose images lie in a folder: paths are resolved below its root and nowhere else."""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from torch import Tensor

from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.core.images import read_image
from robustiqa.datasets.base import Pair, PairDataset


@dataclass(frozen=True)
class Published:
    """What the whole published dataset has: pairs, references, and the (width, height) of its images if they share one.

    ``triplets`` counts two-alternative comparisons, where there are such.
    """

    pairs: int
    references: int
    size: tuple[int, int] | None = None
    triplets: int | None = None


@dataclass(frozen=True)
class FolderPairs(PairDataset):
    """``paths`` maps pair ids to (reference file, distorted file), both relative to ``root``.

    ``published`` is what ``robustiqa datasets check`` compares with; None for subsets and the user's own folders.
    """

    root: Path
    paths: Mapping[str, tuple[str, str]]
    published: Published | None = field(default=None, kw_only=True)

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        reference, distorted = (read_image(inside(self.root, name)) for name in self.paths[pair.id])
        if reference.shape != distorted.shape:
            sizes = [f"{image.shape[2]}x{image.shape[1]}" for image in (reference, distorted)]
            raise InvalidInput(
                f"{pair.id}: the reference is {sizes[0]}, the distorted image {sizes[1]}; both must be of one size."
            )
        return reference, distorted

    def fingerprint(self, pair: Pair) -> str:
        return fingerprint(inside(self.root, name) for name in self.paths[pair.id])


def fingerprint(paths: Iterable[Path]) -> str:
    """The first half of the sha256 of the files' sha256, in order; a file that did not change is read once.

    Raises:
        OSError: a file cannot be read.
    """
    digests = [_digest(path, stat.st_mtime_ns, stat.st_size) for path in paths for stat in [path.stat()]]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:32]


@lru_cache(maxsize=1 << 16)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(root: Path, name: str) -> Path:
    """``root / name``, unless that leaves ``root``.

    Raises:
        DatasetLayoutError: an absolute path, ``..`` or a link that leads out of the dataset's folder.
    """
    try:
        path = (root / name).resolve() if "\0" not in name else None
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        raise DatasetLayoutError(f"{name!r} cannot be followed in the dataset's folder {root}: {error}.") from error
    if path is None or not path.is_relative_to(root.resolve()):
        raise DatasetLayoutError(f"{name!r} leads out of the dataset's folder {root}.")
    return path


def leads_out(name: str) -> bool:
    """Whether a name in a table points out of any folder by its text alone: absolute, with a drive, ``..`` or a NUL."""
    if "\0" in name or name.startswith(("/", "\\")):
        return True
    return (".." in name and ".." in name.replace("\\", "/").split("/")) or (
        ":" in name and bool(PureWindowsPath(name).drive)
    )


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
    for entry in entries:
        inside(root, entry)
    return root


def read_table(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV file that has at least ``columns``.

    Raises:
        DatasetLayoutError: a column is missing, a row is of another length, or the file is not UTF-8 text.
    """
    header, lines = read_lines(path)
    missing = [column for column in columns if column not in header]
    if missing:
        raise DatasetLayoutError(f"{path} has no column {', '.join(missing)}; it has {', '.join(header) or 'none'}.")
    return [dict(zip(header, line, strict=True)) for line in lines]


def read_lines(path: Path) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of a CSV file, stripped of spaces around the cells; blank lines are left out.

    Rows are tuples: Python's collector leaves tuples of texts alone, and would walk through 100,000 lists many times.

    Raises:
        DatasetLayoutError: a row is of another length than the header, or the file is not UTF-8 text.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [tuple(map(str.strip, line)) for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetLayoutError(f"{path} is not a readable CSV file in UTF-8 ({error}).") from error
    header = lines[0] if lines else ()
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise DatasetLayoutError(f"{path}, row {number}: {len(line)} cells; the header has {len(header)}.")
    return header, lines[1:]


def score(text: str, where: str, allowed: tuple[float, float] | None = None) -> float:
    """The finite number that ``text`` spells.

    Raises:
        DatasetLayoutError: not a number, not finite, or out of the ``allowed`` range; names the place.
    """
    try:
        value = float(text)
    except ValueError:
        raise DatasetLayoutError(f"{where}: score {text!r} is not a number.") from None
    if not math.isfinite(value):
        raise DatasetLayoutError(f"{where}: score {text!r} is not finite; remove the row or give its score.")
    if allowed is not None and not allowed[0] <= value <= allowed[1]:
        raise DatasetLayoutError(f"{where}: score {text} is out of the published {allowed[0]:g} to {allowed[1]:g}.")
    return value


def refuse_duplicates(names: Iterable[str], path: Path) -> None:
    """Refuse a table that names an image twice: it would count twice, and perhaps with two scores.

    Raises:
        DatasetLayoutError: names the image and both rows.
    """
    rows: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if (first := rows.setdefault(name, number)) != number:
            raise DatasetLayoutError(f"{path}: {name!r} is in data rows {first} and {number}; keep one of them.")


def files_below(root: Path, folder: str, depth: int = 1) -> dict[str, str]:
    """Names of the files in ``root / folder`` and, to ``depth``, its sub-folders, in lower case, to paths from root."""
    found: dict[str, str] = {}
    for entry in sorted(inside(root, folder).iterdir()):
        path = f"{folder}/{entry.name}"
        if depth > 1 and entry.is_dir():
            found |= files_below(root, path, depth - 1)
        else:
            found[entry.name.lower()] = path
    return found
