"""PieAPP (Prashnani et al., CVPR 2018): 200 references, preferences of 40 raters a pair, scores of the test images.

Layout and columns: the dataset's own README. Files have a header, then, in ``REF_pairwise_labels.csv``: reference, A,
B, raw probability of preferring A (train and val: may be empty), processed probability (train and val only); in
``REF_per_image_score.csv`` (test): reference, image, dissimilarity.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.datasets.base import Pair, PairDataset
from robustiqa.datasets.files import (
    FolderPairs,
    Published,
    inside,
    leads_out,
    read_lines,
    refuse_duplicates,
    require,
    score,
)
from robustiqa.datasets.triplets import Triplet, TripletDataset, shares

LAYOUT: Final = (
    "PieAPP's reference_images/, distorted_images/ and labels/, each with train/, val/ and test/, "
    "and PART_reference_list.txt"
)
REFERENCES: Final = {"train": 140, "val": 20, "test": 40}
TEST_IMAGES: Final = 600  # 15 a reference, all 4,200 pairs of them compared
TEST_TRIPLETS: Final = 4200
SIZE: Final = (256, 256)
NAME: Final = re.compile(r"distort_\w+?_(?P<type>.+)_(?:inter|intra)(?:_.*)?\.png", re.IGNORECASE)
SCORE: Final = "share of raters who preferred the image, mean over its comparisons"


@dataclass(frozen=True)
class PieApp:
    """PieAPP: comparisons of one part (pieapp=FOLDER), or scores per image of test (pieapp:labels=scores=FOLDER).

    Attributes:
        split: the part to load.
        labels: ``pairs`` for comparisons, ``scores`` for the dissimilarity of each image of the test part.
    """

    split: Literal["test", "val", "train"] = "test"
    labels: Literal["pairs", "scores"] = "pairs"

    def __call__(self, path: Path | None) -> PairDataset:
        """The part's comparisons, without those of the reference itself, as in the paper's 4,200; or its scores.

        Raises:
            DatasetLayoutError: a part of the layout is missing, or a row has a name or number that cannot be.
            InvalidInput: per-image scores of a part that has none.
        """
        part = self.split
        if self.labels == "scores" and part != "test":
            raise InvalidInput(f"pieapp: {part} has no scores per image; write pieapp:labels=scores=FOLDER for test.")
        folders = [f"{folder}/{part}" for folder in ("reference_images", "distorted_images", "labels")]
        root = require(path, "pieapp", [*folders, f"{part}_reference_list.txt"], LAYOUT)
        return _scores(root) if self.labels == "scores" else _comparisons(root, part)


def _comparisons(root: Path, part: str) -> TripletDataset:
    triplets: list[Triplet] = []
    for file, row in _rows(root, part, "pairwise_labels", 4):
        reference, first, second = row[:3]
        where = f"{file}, {first} and {second}"
        chosen = row[3] if part == "test" or len(row) < 5 else row[4]
        if reference in {first, second}:
            continue
        p0, p1 = _id(part, reference, first), _id(part, reference, second)
        kind = "within type" if _type(first) == _type(second) else "across types"
        preferred_first = score(chosen, where, (0.0, 1.0))
        triplets.append(Triplet(f"{p0} | {p1}", Path(reference).stem, p0, p1, 1 - preferred_first, kind))
    refuse_duplicates((triplet.id for triplet in triplets), root / "labels" / part)
    references = {side: triplet.reference for triplet in triplets for side in (triplet.p0, triplet.p1)}
    pairs = tuple(
        Pair(name, references[name], _type(name.rpartition("/")[2]), share, split=part)
        for name, share in shares(triplets).items()
    )
    test = Published(TEST_IMAGES, REFERENCES[part], SIZE, TEST_TRIPLETS)
    source = _pairs(root, part, pairs, SCORE, True, test if part == "test" else None)
    return TripletDataset(source.name, pairs, source.higher_better, SCORE, source.labels, tuple(triplets),
                          "raters asked which image is nearer to the reference", source,
                          score_range=source.score_range)  # fmt: skip


def _scores(root: Path) -> FolderPairs:
    pairs = []
    for file, (reference, image, value, *_) in _rows(root, "test", "per_image_score", 3):
        if image != reference:
            human = score(value, f"{file}, {image}")
            pairs.append(Pair(_id("test", reference, image), Path(reference).stem, _type(image), human, split="test"))
    refuse_duplicates((pair.id for pair in pairs), root / "labels" / "test")
    published = Published(TEST_IMAGES, REFERENCES["test"], SIZE)
    return _pairs(root, "test", tuple(pairs), "dissimilarity (lower is better)", False, published)


def _pairs(
    root: Path, part: str, pairs: tuple[Pair, ...], human_score: str, higher_better: bool, published: Published | None
) -> FolderPairs:
    folder = f"reference_images/{part}"
    paths = {pair.id: (f"{folder}/{pair.reference}.png", f"distorted_images/{pair.id}") for pair in pairs}
    return FolderPairs(f"pieapp-{part}", pairs, higher_better, human_score, "pieapp", root, paths, published=published,
                       score_range=(0.0, 1.0) if higher_better else None)  # fmt: skip


def _rows(root: Path, part: str, kind: str, width: int) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Rows of the label files of all references in the part's list, with their file."""
    listing = inside(root, f"{part}_reference_list.txt").read_text(encoding="utf-8", errors="replace")
    for name in filter(None, map(str.strip, listing.splitlines())):
        file = inside(root, f"labels/{part}/{Path(name).stem}_{kind}.csv")
        if not file.is_file():
            raise DatasetLayoutError(f"pieapp: {file} is missing; {part}_reference_list.txt names {name}.")
        header, rows = read_lines(file)
        if len(header) < width:
            raise DatasetLayoutError(f"{file} has {len(header)} columns; {kind} files have {width} or more.")
        for row in rows:
            if row[0] != name or any(leads_out(cell) or "/" in cell for cell in row[1:3]):
                raise DatasetLayoutError(f"{file}: {', '.join(row[:3])}; wanted images of {name} by their names alone.")
            yield file, row


def _id(part: str, reference: str, image: str) -> str:
    return f"{part}/{Path(reference).stem}/{image}"


def _type(image: str) -> str:
    match = NAME.fullmatch(image)
    return match["type"] if match else "other"
