"""KADID-10k (Lin, Hosu and Saupe, QoMEX 2019): 81 references x 25 distortion types x 5 levels."""

import re
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError
from robustiqa.datasets.base import Pair
from robustiqa.datasets.distortions import TYPES
from robustiqa.datasets.files import (
    FolderPairs,
    Published,
    inside,
    read_table,
    refuse_duplicates,
    require,
    score,
)

LAYOUT: Final = "KADID-10k's dmos.csv (dist_img, ref_img, dmos, var) and images/"
PUBLISHED: Final = Published(pairs=10125, references=81, size=(512, 384))
SCALE: Final = (1.0, 5.0)
NAME: Final = re.compile(r"(I\d\d)_(\d\d)_(\d\d)\.png")


def load_kadid10k(path: Path | None) -> FolderPairs:
    """KADID-10k (10,125 pairs); what its authors call DMOS runs from 1 to 5 and higher is better.

    Raises:
        DatasetLayoutError: a part of the layout is missing, or dmos.csv has a name or score that cannot be.
    """
    root = require(path, "kadid10k", ["dmos.csv", "images"], LAYOUT)
    table = inside(root, "dmos.csv")
    rows = read_table(table, ("dist_img", "ref_img", "dmos"))
    refuse_duplicates((row["dist_img"] for row in rows), table)
    pairs = tuple(_pair(row, table) for row in rows)
    paths = {row["dist_img"]: (f"images/{row['ref_img']}", f"images/{row['dist_img']}") for row in rows}
    return FolderPairs("kadid10k", pairs, higher_better=True, human_score="DMOS (1 to 5, higher is better)",
                       labels="kadid10k", score_range=SCALE, root=root, paths=paths, published=PUBLISHED)  # fmt: skip


def _pair(row: dict[str, str], table: Path) -> Pair:
    match = NAME.fullmatch(row["dist_img"])
    if match is None or not 1 <= int(match[2]) <= len(TYPES) or row["ref_img"] != f"{match[1]}.png":
        raise DatasetLayoutError(
            f"{table}: {row['dist_img']!r} of reference {row['ref_img']!r}; wanted such as I01_25_05.png of I01.png."
        )
    human = score(row["dmos"], f"{table}, {row['dist_img']}", SCALE)
    return Pair(row["dist_img"], match[1], TYPES[int(match[2]) - 1], human, float(match[3]))
