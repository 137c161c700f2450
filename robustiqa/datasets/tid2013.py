"""TID2013 (Ponomarenko et al., Signal Processing: Image Communication 30, 2015), whole or as a subset."""

import re
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, read_table, require

LAYOUT: Final = (
    "distorted_images/, reference_images/ and mos_with_names.txt; or a subset with references/, images/ and scores.csv"
)
NAME: Final = re.compile(r"i(\d\d)_(\d\d)_(\d)\.(bmp|png)", re.IGNORECASE)


def load_tid2013(path: Path | None) -> FolderPairs:
    """TID2013 (3000 pairs, shown as ``tid2013``) or a subset (``tid2013-subset``); MOS from 0 to 9, higher is better.

    Raises:
        DatasetLayoutError: neither layout; names what is missing.
    """
    root = require(path, "tid2013", [], LAYOUT)
    if (root / "scores.csv").exists():
        return _subset(require(root, "tid2013", ["references", "images"], LAYOUT))
    return _official(require(root, "tid2013", ["distorted_images", "reference_images", "mos_with_names.txt"], LAYOUT))


def _subset(root: Path) -> FolderPairs:
    pairs, paths = [], {}
    for row in read_table(root / "scores.csv", ("reference", "distorted", "type", "level", "mos")):
        reference = Path(row["reference"]).stem
        distortion = f"type-{int(row['type']):02d}"
        pairs.append(Pair(row["distorted"], reference, distortion, float(row["mos"]), float(row["level"])))
        paths[row["distorted"]] = (row["reference"], f"images/{row['distorted']}")
    return _tid("tid2013-subset", pairs, root, paths)


def _official(root: Path) -> FolderPairs:
    on_disk = {entry.name.lower(): entry.name for entry in (root / "reference_images").iterdir()}
    distorted = {entry.name.lower(): entry.name for entry in (root / "distorted_images").iterdir()}
    pairs, paths = [], {}
    for line in (root / "mos_with_names.txt").read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        score, name = line.split()
        match = NAME.fullmatch(name)
        if match is None or name.lower() not in distorted:
            raise DatasetLayoutError(f"tid2013: {name!r} of mos_with_names.txt is not in {root / 'distorted_images'}.")
        reference = f"I{match[1]}"
        if f"{reference.lower()}.bmp" not in on_disk:
            raise DatasetLayoutError(f"tid2013: {reference}.BMP, the reference of {name}, is not in reference_images/.")
        pairs.append(Pair(name.lower(), reference, f"type-{match[2]}", float(score), float(match[3])))
        paths[name.lower()] = (
            f"reference_images/{on_disk[f'{reference.lower()}.bmp']}",
            f"distorted_images/{distorted[name.lower()]}",
        )
    return _tid("tid2013", pairs, root, paths)


def _tid(name: str, pairs: list[Pair], root: Path, paths: dict[str, tuple[str, str]]) -> FolderPairs:
    return FolderPairs(
        name, tuple(pairs), higher_better=True, human_score="MOS", labels="tid2013", root=root, paths=paths
    )
