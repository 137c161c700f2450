"""LIVE Image Quality Assessment Database, Release 2 (Sheikh, Sabir and Bovik, IEEE TIP 15(11), 2006).

Two layouts are recognised: the official one with its .mat scores, and a genuine subset as PNG with a scores.csv.
"""

from pathlib import Path
from typing import Final

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, Published, inside, read_table, refuse_duplicates, require, score

# Release 2 numbers its 982 images through these folders in this order; 203 of them are unmodified references.
FOLDERS: Final = (("jp2k", 227), ("jpeg", 233), ("wn", 174), ("gblur", 174), ("fastfading", 174))
OFFICIAL: Final = "refimgs/, jp2k/, jpeg/, wn/, gblur/, fastfading/, refnames_all.mat, dmos_realigned.mat or dmos.mat"
LAYOUT: Final = f"LIVE r2's {OFFICIAL}; or a subset with refimgs/ and scores.csv"
PUBLISHED: Final = Published(pairs=779, references=29)
SCALE: Final = (0.0, 100.0)  # nominal: realigned scores run from -2.6 to 111.8
COLUMNS: Final = ("reference", "distorted", "distortion", "dmos")


def load_live(path: Path | None) -> FolderPairs:
    """LIVE r2 (779 pairs, shown as ``live``) or a subset of it (shown as ``live-subset``); DMOS, lower is better.

    Raises:
        DatasetLayoutError: neither layout; names what is missing.
    """
    root = require(path, "live", ["refimgs"], LAYOUT)
    if (root / "scores.csv").exists():
        return _subset(root)
    return _official(require(root, "live", [*(name for name, _ in FOLDERS), "refnames_all.mat"], LAYOUT))


def _subset(root: Path) -> FolderPairs:
    table = inside(root, "scores.csv")
    rows = read_table(table, COLUMNS)
    refuse_duplicates((row["distorted"] for row in rows), table)
    pairs = tuple(
        Pair(row["distorted"], Path(row["reference"]).stem, row["distortion"],
             score(row["dmos"], f"{table}, {row['distorted']}"))
        for row in rows
    )  # fmt: skip
    paths = {row["distorted"]: (row["reference"], row["distorted"]) for row in rows}
    return _live("live-subset", pairs, root, paths)


def _official(root: Path) -> FolderPairs:
    dmos, is_reference = _scores(root)
    names = [str(np.ravel(name)[0]) for name in _mat(root, "refnames_all.mat", "refnames_all").ravel()]
    files = [(folder, f"{folder}/img{i + 1}.bmp") for folder, count in FOLDERS for i in range(count)]
    if not len(files) == len(names) == len(dmos) == len(is_reference):
        raise DatasetLayoutError(
            f"live: {root} has {len(names)} reference names and {len(dmos)} scores; Release 2 has {len(files)}."
        )
    pairs, paths = [], {}
    for (folder, file), name, value, skip in zip(files, names, dmos, is_reference, strict=True):
        if not skip:
            pairs.append(Pair(file, Path(name).stem, folder, score(repr(float(value)), f"live: {root}, {file}")))
            paths[file] = (f"refimgs/{name}", file)
    return _live("live", tuple(pairs), root, paths)


def _scores(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """DMOS and the mask of unmodified references: the realigned scores where they are there (Release 2's advice)."""
    for file, key in (("dmos_realigned.mat", "dmos_new"), ("dmos.mat", "dmos")):
        if (root / file).exists():
            return _mat(root, file, key).ravel(), _mat(root, file, "orgs").ravel().astype(bool)
    raise DatasetLayoutError(f"live: {root} has no dmos_realigned.mat or dmos.mat. Expected: {LAYOUT}.")


def _mat(root: Path, file: str, key: str) -> np.ndarray:
    """A variable of a MATLAB file."""
    try:
        content = loadmat(inside(root, file))
    except (OSError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise DatasetLayoutError(f"live: {root / file} is not a readable MATLAB 5 file ({error}).") from error
    if key not in content:
        raise DatasetLayoutError(f"live: {root / file} has no {key}.")
    return np.asarray(content[key])


def _live(name: str, pairs: tuple[Pair, ...], root: Path, paths: dict[str, tuple[str, str]]) -> FolderPairs:
    return FolderPairs(name, pairs, higher_better=False, human_score="DMOS", labels="live", score_range=SCALE,
                       root=root, paths=paths, published=PUBLISHED if name == "live" else None)  # fmt: skip
