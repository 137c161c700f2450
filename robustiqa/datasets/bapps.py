"""BAPPS two-alternative forced choices (Zhang et al., CVPR 2018): 64 x 64 patches below ``2afc/PART/KIND``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, Published, inside, require
from robustiqa.datasets.triplets import Triplet, TripletDataset

KINDS: Final = {
    "train": ("traditional", "cnn", "mix"),
    "val": ("traditional", "cnn", "superres", "deblur", "color", "frameinterp"),
}
TRIPLETS: Final = {"train": 151_400, "val": 36_344}
LAYOUT: Final = "BAPPS' 2afc/ with train/ and val/, in them KIND/ref, KIND/p0, KIND/p1 (*.png) and KIND/judge (*.npy)"
SCORE: Final = "share of raters who preferred the image"


@dataclass(frozen=True)
class Bapps:
    """BAPPS 2AFC (36,344 comparisons of val, 151,400 of train): bapps=FOLDER, bapps:split=train=FOLDER.

    Attributes:
        split: the part to load; LPIPS was trained on ``train``.
    """

    split: Literal["val", "train"] = "val"

    def __call__(self, path: Path | None) -> TripletDataset:
        """The comparisons of one part; each of their references is a reference of its own.

        Raises:
            DatasetLayoutError: a folder is missing, or a judgement without its images, unreadable or out of [0, 1].
        """
        root = require(path, "bapps", [], LAYOUT)
        top = next((name for name in ("2afc", ".") if (root / name / self.split).is_dir()), None)
        if top is None:
            raise DatasetLayoutError(f"bapps: {root} has no 2afc/{self.split}. Expected: {LAYOUT}.")
        part = self.split if top == "." else f"{top}/{self.split}"
        require(root, "bapps", [f"{part}/{kind}" for kind in KINDS[self.split]], LAYOUT)
        triplets = tuple(t for kind in KINDS[self.split] for t in _comparisons(root, f"{part}/{kind}", kind))
        pairs, paths = [], {}
        for triplet in triplets:
            for side, share in (("p0", 1 - triplet.preference), ("p1", triplet.preference)):
                name = f"{triplet.id}/{side}"
                folder, stem = f"{part}/{triplet.kind}", triplet.id.rpartition("/")[2]
                pairs.append(Pair(name, triplet.reference, triplet.kind, share, split=self.split))
                paths[name] = (f"{folder}/ref/{stem}.png", f"{folder}/{side}/{stem}.png")
        count = TRIPLETS[self.split]
        labels = "bapps" if self.split == "train" else "bapps-val"  # models that say bapps were trained on train alone
        source = FolderPairs(f"bapps-{self.split}", tuple(pairs), higher_better=True, human_score=SCORE, labels=labels,
                             score_range=(0.0, 1.0), root=root, paths=paths,
                             published=Published(2 * count, count, (64, 64), count))  # fmt: skip
        return TripletDataset(source.name, source.pairs, source.higher_better, SCORE, source.labels, triplets,
                              "raters asked which patch is nearer to the reference", source,
                              score_range=(0.0, 1.0))  # fmt: skip


def _comparisons(root: Path, folder: str, kind: str) -> list[Triplet]:
    stems = {name: _stems(root, f"{folder}/{name}", suffix) for name, suffix in
             (("judge", ".npy"), ("ref", ".png"), ("p0", ".png"), ("p1", ".png"))}  # fmt: skip
    for name, there in stems.items():
        if lacking := stems["judge"] ^ there:
            example = min(lacking)
            where = f"{folder}/{name}" if example not in there else f"{folder}/judge"
            raise DatasetLayoutError(f"bapps: {root / where} has no {example}, and lacks {len(lacking)} in all.")
    return [
        Triplet(f"{kind}/{stem}", f"{kind}/{stem}", f"{kind}/{stem}/p0", f"{kind}/{stem}/p1",
                _judgement(inside(root, f"{folder}/judge/{stem}.npy")), kind)
        for stem in sorted(stems["judge"])
    ]  # fmt: skip


def _stems(root: Path, folder: str, suffix: str) -> set[str]:
    path = inside(root, folder)
    if not path.is_dir():
        raise DatasetLayoutError(f"bapps: {root} has no {folder}. Expected: {LAYOUT}.")
    return {file.stem for file in path.iterdir() if file.suffix == suffix}


def _judgement(file: Path) -> float:
    """The share of raters who preferred p1; never unpickles, whatever the file holds."""
    try:
        values = np.load(file, allow_pickle=False)
        share = float(values.item())
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        raise DatasetLayoutError(f"{file} is not one number in NumPy's format ({error}).") from error
    if not 0 <= share <= 1:
        raise DatasetLayoutError(f"{file}: {share} is not a share of raters from 0 to 1.")
    return share
