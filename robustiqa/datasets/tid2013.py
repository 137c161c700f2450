"""TID2013 (Ponomarenko et al., Signal Processing: Image Communication 30, 2015), whole or as a subset."""

import re
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, Published, inside, read_table, refuse_duplicates, require, score

LAYOUT: Final = (
    "distorted_images/, reference_images/ and mos_with_names.txt; or a subset with references/, images/ and scores.csv"
)
PUBLISHED: Final = Published(pairs=3000, references=25, size=(512, 384))
SCALE: Final = (0.0, 9.0)
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
    table = inside(root, "scores.csv")
    rows = read_table(table, ("reference", "distorted", "type", "level", "mos"))
    refuse_duplicates((row["distorted"] for row in rows), table)
    for row in rows:
        where = f"{table}, {row['distorted']}"
        kind, mos, level = (score(row[key], where) for key in ("type", "mos", "level"))
        pairs.append(Pair(row["distorted"], Path(row["reference"]).stem, f"type-{int(kind):02d}", mos, level))
        paths[row["distorted"]] = (row["reference"], f"images/{row['distorted']}")
    return _tid("tid2013-subset", pairs, root, paths)


def _official(root: Path) -> FolderPairs:
    on_disk = {entry.name.lower(): entry.name for entry in (root / "reference_images").iterdir()}
    distorted = {entry.name.lower(): entry.name for entry in (root / "distorted_images").iterdir()}
    pairs, paths = [], {}
    for value, name in _lines(root):
        match = NAME.fullmatch(name)
        if match is None or name.lower() not in distorted:
            raise DatasetLayoutError(f"tid2013: {name!r} of mos_with_names.txt is not in {root / 'distorted_images'}.")
        reference = f"I{match[1]}"
        if f"{reference.lower()}.bmp" not in on_disk:
            raise DatasetLayoutError(f"tid2013: {reference}.BMP, the reference of {name}, is not in reference_images/.")
        human = score(value, f"mos_with_names.txt, {name}", SCALE)
        pairs.append(Pair(name.lower(), reference, f"type-{match[2]}", human, float(match[3])))
        paths[name.lower()] = (
            f"reference_images/{on_disk[f'{reference.lower()}.bmp']}",
            f"distorted_images/{distorted[name.lower()]}",
        )
    return _tid("tid2013", pairs, root, paths)


def _lines(root: Path) -> list[tuple[str, str]]:
    """Score and name of every line, no name twice."""
    file = inside(root, "mos_with_names.txt")
    try:
        lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DatasetLayoutError(f"{file} is not a text file in UTF-8 ({error}).") from error
    for cells in lines:
        if len(cells) != 2:
            raise DatasetLayoutError(f"{file}: {' '.join(cells)!r}; wanted lines of a MOS and a name.")
    refuse_duplicates((name.lower() for _, name in lines), file)
    return [(value, name) for value, name in lines]


def _tid(name: str, pairs: list[Pair], root: Path, paths: dict[str, tuple[str, str]]) -> FolderPairs:
    return FolderPairs(name, tuple(pairs), higher_better=True, human_score="MOS", labels="tid2013", score_range=SCALE,
                       root=root, paths=paths, published=PUBLISHED if name == "tid2013" else None)  # fmt: skip
