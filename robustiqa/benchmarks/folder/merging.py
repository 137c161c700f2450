"""Several output folders into one: shards of a run, or runs of different machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from robustiqa.benchmarks.cell import Cell, CellSpec, SampleRow
from robustiqa.benchmarks.folder.sameness import differing, in_words, looks
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.shards import absent
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically

NOTED: Final = frozenset({"seconds", "judged", "images", "halved"})  # what a cell's specification does not decide
SHOWN: Final = 10


@dataclass(frozen=True)
class Merged:
    """How many cells the folder holds now, which are unfinished, and which shards were in none of the folders."""

    cells: int
    unfinished: tuple[Cell, ...]
    absent: tuple[str, ...]


def merge(folders: Sequence[Path], out: Path) -> Merged:
    """Put the cells, rows and pictures of ``folders`` into ``out``, with what that holds already.

    A cell that stands in several folders gets the rows of all. It stays unfinished where one of them is: running the
    bench again with ``out`` finishes it.

    Raises:
        InvalidInput: a folder without results; rows of one sample that differ in more than the time they took; cells
            that a report could not tell apart although their data, weights, code or version differ. Nothing is written.
        CannotWrite: ``out`` cannot be written into.
    """
    sources = _sources(folders, out)
    read = [(folder, Store(folder).cells()) for folder in sources]
    _refuse(_lookalikes(read))
    groups: dict[str, list[tuple[Path, Cell]]] = {}
    for folder, cells in read:
        for cell in cells:
            groups.setdefault(cell.spec.key, []).append((folder, cell))
    _refuse(line for group in groups.values() for line in _contradictions(group))
    merged = [_joined([cell for _, cell in group]) for _, group in sorted(groups.items())]
    with Store(out).held({cell.spec.key: in_words(cell.spec) for cell in merged}):
        for folder in sources:
            _copy_pictures(folder, out, merged)
        for cell in merged:
            Store(out).put(cell)
    return Merged(len(merged), tuple(cell for cell in merged if not cell.finished), tuple(absent(folders)))


def same_numbers(one: SampleRow, other: SampleRow) -> bool:
    """Whether two rows agree in all that the specification of their cell decides."""
    return one.model_dump(exclude=set(NOTED)) == other.model_dump(exclude=set(NOTED))


def _sources(folders: Sequence[Path], out: Path) -> list[Path]:
    """Each folder once, and ``out`` where it holds cells."""
    found = {folder.resolve(): folder for folder in folders}
    if Store(out).holds_cells():
        found.setdefault(out.resolve(), out)
    return list(found.values())


def _lookalikes(read: Sequence[tuple[Path, Sequence[Cell]]]) -> Iterable[str]:
    """Cells of two folders that a report could not tell apart; where one folder holds both, that was on purpose."""
    held = [(folder, {cell.spec.key: cell.spec for cell in cells}) for folder, cells in read]
    alike: dict[str, dict[str, tuple[Path, CellSpec]]] = {}
    for folder, specs in held:
        for key, spec in specs.items():
            alike.setdefault(looks(spec), {}).setdefault(key, (folder, spec))
    for group in alike.values():
        for one, other in combinations(group, 2):
            if not any(one in specs and other in specs for _, specs in held):
                (there, before), (here, spec) = group[one], group[other]
                yield f"{in_words(spec)}: {there} and {here} differ in {differing(before, spec)}"


def _contradictions(group: Sequence[tuple[Path, Cell]]) -> Iterable[str]:
    known: dict[str, tuple[Path, SampleRow]] = {}
    for folder, cell in group:
        for row in cell.samples:
            first, other = known.setdefault(row.id, (folder, row))
            if row is not other and not same_numbers(row, other):
                fields = [n for n in SampleRow.model_fields if n not in NOTED and getattr(row, n) != getattr(other, n)]
                yield (
                    f"{in_words(cell.spec)}, sample {row.id!r}: {first} and {folder} have other values of "
                    f"{', '.join(fields)} (cell {cell.spec.key})"
                )


def _refuse(lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        more = [f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise InvalidInput(
            "conflicting cells, nothing was merged; leave out the folder that is wrong:\n"
            + "\n".join([*found[:SHOWN], *more])
        )


def _joined(cells: Sequence[Cell]) -> Cell:
    rows: dict[str, SampleRow] = {}
    for cell in cells:
        for row in cell.samples:
            rows[row.id] = _richer(rows.get(row.id, row), row)
    errors = [cell.error for cell in cells if cell.error]
    return cells[0].model_copy(
        update={
            "samples": tuple(sorted(rows.values(), key=lambda row: row.id)),
            "finished": all(cell.finished for cell in cells),
            "error": errors[0] if errors else "",
            "provenance": _provenance(cells),
        }
    )


def _richer(one: SampleRow, other: SampleRow) -> SampleRow:
    """The first row, with what was noted beside the second."""
    noted = {"judged": {**other.judged, **one.judged}, "images": one.images or other.images}
    return one.model_copy(update=noted)


def _provenance(cells: Sequence[Cell]) -> dict[str, JsonValue]:
    """That of the first cell; where others ran elsewhere, with theirs beside it."""
    first = cells[0].provenance
    others: list[JsonValue] = []
    for cell in cells[1:]:
        if cell.provenance != first and cell.provenance not in others:
            others.append(cell.provenance)
    return {**first, "merged_with": others} if others else first


def _copy_pictures(folder: Path, out: Path, cells: Iterable[Cell]) -> None:
    """Those that rows name; a file that is not what its name says is refused."""
    source, target = Pictures(folder), Pictures(out)
    names = {
        name
        for cell in cells
        for row in cell.samples
        if row.images is not None
        for name in (row.images.reference, row.images.distorted, row.images.adversarial)
    }
    for name in sorted(names):
        if source.path(name).is_file() and not target.path(name).is_file():
            source.read(name)
            write_atomically(target.path(name), source.path(name).read_bytes())
