"""KADID-style pairs: photographs distorted by the published types and levels, made on the fly and cached."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import DatasetLayoutError
from robustiqa.core.files import write_atomically
from robustiqa.core.images import FORMATS, read_rgb, to_tensor
from robustiqa.datasets.base import Pair, PairDataset
from robustiqa.datasets.distortions import LEVELS, TYPES, distort
from robustiqa.datasets.expected_scores import expected_score
from robustiqa.datasets.files import fingerprint, inside
from robustiqa.datasets.splits import NAMES, TRAINING_PARTS, split_by_reference

HUMAN_SCORE = "expected human score (KADID-10k mean of type and level)"
LABELS = "kadid10k-means"
VERSION = 1  # of the distortions; raise it when their pixels change, so that old cached images are not used

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class SyntheticPairs(PairDataset):
    """``photographs`` maps reference ids to functions that read them, uint8 [H, W, 3].

    ``files`` are where they are read from, where they are the user's.
    """

    photographs: Mapping[str, Callable[[], Pixels]]
    files: Mapping[str, Path] = field(default_factory=dict, kw_only=True)

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        pristine = self.photographs[pair.reference]()
        return to_tensor(pristine), to_tensor(self._distorted(pair, pristine))

    def fingerprint(self, pair: Pair) -> str:
        file = self.files.get(pair.reference)
        return "" if file is None else fingerprint([file])

    def _distorted(self, pair: Pair, pristine: Pixels) -> Pixels:
        # Named by content too: other photographs may have the same names.
        content = hashlib.sha256(repr(pristine.shape).encode() + pristine.tobytes()).hexdigest()[:16]
        path = cache_folder("distorted") / f"v{VERSION}" / self.name / f"{pair.id}-{content}.png"
        if path.exists():
            return read_rgb(path)
        level = 1.0 if pair.level is None else pair.level
        distorted = distort(pristine, TYPES.index(pair.distortion) + 1, level, pair.reference)
        buffer = io.BytesIO()
        Image.fromarray(distorted).save(buffer, "PNG", compress_level=1)
        write_atomically(path, buffer.getvalue())
        return distorted


def kadid_style(name: str, photographs: Mapping[str, Callable[[], Pixels]]) -> SyntheticPairs:
    """All 25 types x 5 levels of every photograph, in an order whose every beginning is stratified.

    Rounds go over the references; in a round each has one pair. Five rounds hold each level once per reference, and
    with five references or more every type; all 125 rounds hold every combination once.
    """
    pairs = [
        _pair(reference, (5 * k + k % 25 // 5 + r) % 25 + 1, (k + k // 25 + r) % 5 + 1)
        for k in range(len(TYPES) * len(LEVELS))
        for r, reference in enumerate(sorted(photographs))
    ]
    return SyntheticPairs(name, tuple(pairs), higher_better=True, human_score=HUMAN_SCORE, labels=LABELS,
                          photographs=photographs)  # fmt: skip


def _pair(reference: str, code: int, level: int) -> Pair:
    return Pair(f"{reference}_{code:02d}_{level:02d}", reference, TYPES[code - 1], expected_score(code, level), level)


@dataclass(frozen=True)
class KadidStyle:
    """KADID-style pairs of all photographs below a folder, or of one part of them.

    Attributes:
        part: ``all``, or those that ``robustiqa train`` on the same folder puts into ``train``, ``val`` or ``test``.
    """

    part: Literal["all", "train", "val", "test"] = "all"

    def __call__(self, path: Path | None) -> SyntheticPairs:
        """The pairs.

        Raises:
            DatasetLayoutError: no folder, or no image of an accepted format in it.
        """
        files = photographs(path)
        if self.part != "all":
            parts = dict(zip(NAMES, split_by_reference(files, TRAINING_PARTS), strict=True))
            files = {stem: files[stem] for stem in parts[self.part]}
        return _of_files(files)


def _of_files(files: Mapping[str, Path]) -> SyntheticPairs:
    return replace(kadid_style("kadid-style", {stem: _reader(file) for stem, file in files.items()}), files=files)


def photographs(path: Path | None) -> dict[str, Path]:
    """Image files below a folder by stem, which is their reference id.

    Raises:
        DatasetLayoutError: no folder, no image of an accepted format in it, two of one stem, or a link out of it.
    """
    if path is None or not path.is_dir():
        raise DatasetLayoutError(f"kadid-style: {path} is not a folder; write kadid-style=FOLDER of photographs.")
    suffixes = {f".{suffix.lower()}" for suffix in (*FORMATS, "jpg", "tif")}
    files: dict[str, Path] = {}
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in suffixes:
            if file.stem in files:
                raise DatasetLayoutError(f"kadid-style: {files[file.stem]} and {file} share a name; rename one.")
            inside(path, str(file.relative_to(path)))  # a link within the folder keeps its own name
            files[file.stem] = file
    if not files:
        raise DatasetLayoutError(f"kadid-style: no {'/'.join(FORMATS)} images below {path}.")
    return files


def _reader(file: Path) -> Callable[[], Pixels]:
    return lambda: read_rgb(file)
