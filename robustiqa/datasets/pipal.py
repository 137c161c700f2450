"""PIPAL (Gu et al., ECCV 2020): 200 training references x 116 distortions, many of them from restoration networks."""

import re
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, Published, files_below, inside, refuse_duplicates, require, score

FOLDERS: Final = ("Train_Dist", "Distortion_1", "Distortion_2", "Distortion_3", "Distortion_4")
LAYOUT: Final = (
    "PIPAL's Train_Ref/, Train_Label/ (*.txt with lines NAME,ELO) and Distortion_1/ to Distortion_4/ or Train_Dist/"
)
PUBLISHED: Final = Published(pairs=23200, references=200, size=(288, 288))
NAME: Final = re.compile(r"(A\d{4})_(\d\d)_(\d\d)\.bmp")
# Elo scores have no bounds; these enclose the published ones of the training set.
SCALE: Final = (900.0, 1850.0)


def load_pipal(path: Path | None) -> FolderPairs:
    """PIPAL's training set (23,200 pairs); Elo scores, higher is better.

    Raises:
        DatasetLayoutError: a part of the layout is missing, or a label has a name or score that cannot be.
    """
    root = require(path, "pipal", ["Train_Ref", "Train_Label"], LAYOUT)
    there = [folder for folder in FOLDERS if (root / folder).is_dir()]
    if not there:
        raise DatasetLayoutError(f"pipal: {root} has no distorted images. Expected: {LAYOUT}.")
    on_disk = {name: file for folder in there for name, file in files_below(root, folder).items()}
    pairs, paths = [], {}
    for file, name, elo in _labels(root):
        match = NAME.fullmatch(name)
        if match is None:
            raise DatasetLayoutError(f"{file}: {name!r}; wanted names such as A0001_00_00.bmp.")
        pairs.append(Pair(name, match[1], f"type-{match[2]}", score(elo, f"{file}, {name}"), split="train"))
        paths[name] = (f"Train_Ref/{match[1]}.bmp", on_disk.get(name.lower(), f"{there[0]}/{name}"))
    refuse_duplicates((pair.id for pair in pairs), root / "Train_Label")
    return FolderPairs("pipal", tuple(pairs), higher_better=True, human_score="Elo (higher is better)", labels="pipal",
                       score_range=SCALE, root=root, paths=paths, published=PUBLISHED)  # fmt: skip


def _labels(root: Path) -> list[tuple[Path, str, str]]:
    """(file, image name, Elo) of every line of the label files, in the order of their names."""
    labels = []
    for name in sorted(files_below(root, "Train_Label").values()):
        if not name.endswith(".txt"):
            continue
        file = inside(root, name)
        for number, line in enumerate(_text(file).splitlines(), start=1):
            cells = line.split(",")
            if line.strip() and len(cells) != 2:
                raise DatasetLayoutError(f"{file}, line {number}: {line!r}; wanted NAME,ELO.")
            labels += [(file, cells[0].strip(), cells[1])] if line.strip() else []
    if not labels:
        raise DatasetLayoutError(f"pipal: {root / 'Train_Label'} has no labels. Expected: {LAYOUT}.")
    return labels


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetLayoutError(f"{file} is not a readable text file in UTF-8 ({error}).") from error
