"""CSIQ (Larson and Chandler, Journal of Electronic Imaging 19(1), 2010): 30 references, 6 types, 866 images."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import (
    FolderPairs,
    Published,
    files_below,
    inside,
    refuse_duplicates,
    require,
    score,
)
from robustiqa.datasets.xlsx import read_sheet

LAYOUT: Final = "CSIQ's src_imgs/, dst_imgs/ (awgn, blur, contrast, fnoise, jpeg, jpeg2000) and csiq.DMOS.xlsx"
SHEET: Final = "all_by_image"
PUBLISHED: Final = Published(pairs=866, references=30, size=(512, 512))
SCALE: Final = (0.0, 1.0)
# Types of the score sheet: the folder below dst_imgs, and how file names spell them.
TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "noise": ("awgn", "AWGN"),
    "blur": ("blur", "BLUR"),
    "contrast": ("contrast", "contrast"),
    "fnoise": ("fnoise", "fnoise"),
    "jpeg": ("jpeg", "JPEG"),
    "jpeg 2000": ("jpeg2000", "jpeg2000"),
}


def load_csiq(path: Path | None) -> FolderPairs:
    """CSIQ (866 pairs); DMOS from 0 to 1, lower is better.

    Raises:
        DatasetLayoutError: a part of the layout is missing, or the sheet has a type or score that cannot be.
    """
    root = require(path, "csiq", ["src_imgs", "dst_imgs", "csiq.DMOS.xlsx"], LAYOUT)
    table = inside(root, "csiq.DMOS.xlsx")
    on_disk = files_below(root, "dst_imgs", depth=2)
    pairs, paths = [], {}
    for image, kind, level, dmos in _rows(table):
        folder, spelling = _spelling(table, kind)
        name = f"{image}.{spelling}.{level}.png"
        human = score(dmos, f"{table}, {name}", SCALE)
        pairs.append(Pair(name, image, folder, human, score(level, f"{table}, level of {name}")))
        paths[name] = (f"src_imgs/{image}.png", on_disk.get(name.lower(), f"dst_imgs/{folder}/{name}"))
    refuse_duplicates((pair.id for pair in pairs), table)
    return FolderPairs("csiq", tuple(pairs), higher_better=False, human_score="DMOS (0 to 1, lower is better)",
                       labels="csiq", score_range=SCALE, root=root, paths=paths, published=PUBLISHED)  # fmt: skip


def _rows(table: Path) -> Iterator[tuple[str, str, str, str]]:
    """Image, type, level and DMOS of every row below the one that names the columns, wherever that stands."""
    wanted = ("image", "dst_type", "dst_lev", "dmos")
    columns: tuple[str, ...] = ()
    for row in read_sheet(table, SHEET):
        letters = {text: letter for letter, text in row.items()}
        if not columns:
            columns = tuple(letters[name] for name in wanted) if set(wanted) <= set(letters) else ()
        elif row.get(columns[0]) and row.get(columns[3]):
            image, kind, level, dmos = (row.get(letter, "") for letter in columns)
            yield image, kind, level, dmos
    if not columns:
        raise DatasetLayoutError(f"{table}: sheet {SHEET} has no row with {', '.join(wanted)}.")


def _spelling(table: Path, kind: str) -> tuple[str, str]:
    if kind not in TYPES:
        raise DatasetLayoutError(f"{table}: unknown dst_type {kind!r}; CSIQ has {', '.join(TYPES)}.")
    return TYPES[kind]
