"""Cells on disk: a journal that grows by the batch, and a file that replaces it once the cell is done.

``DIR/cells/KEY.jsonl`` holds the specification in its first line and a sample in each further one; a kill can at
most cut its last line short. Where the run raised, the last line is its traceback. ``DIR/cells/KEY.json`` is written
atomically.
"""

import json
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from robustiqa.benchmarks.cell import SCHEMA, Cell, CellSpec, SampleRow
from robustiqa.core.errors import CannotWrite, InvalidInput
from robustiqa.core.files import append_durably, write_atomically
from robustiqa.core.locks import held

LOCK: Final = ".lock"

class Store:
    """The cells of one output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cells"

    def read(self, spec: CellSpec) -> dict[str, SampleRow]:
        """Rows already computed for ``spec``, by sample id: those of the finished file and of the journal."""
        cells = [self._finished(spec.key), self._journal(self._path(spec.key, "jsonl"))]
        return {row.id: row for cell in cells if cell is not None for row in cell.samples}

    def is_open(self, spec: CellSpec) -> bool:
        """Whether rows of ``spec`` wait in a journal for :meth:`finish`."""
        return self._path(spec.key, "jsonl").exists()

    def append(self, spec: CellSpec, rows: Sequence[SampleRow], provenance: dict[str, JsonValue]) -> None:
        """Add a batch of rows to the journal and flush it to disk."""
        self._write(spec, [row.model_dump_json() for row in rows], provenance)

    def fail(self, spec: CellSpec, error: str, provenance: dict[str, JsonValue]) -> None:
        """Note in the journal that the run ended with ``error``; rows that follow, or a finished cell, forget it."""
        self._write(spec, [json.dumps({"error": error})], provenance)

    def _write(self, spec: CellSpec, lines: list[str], provenance: dict[str, JsonValue]) -> None:
        path = self._path(spec.key, "jsonl")
        text = "\n".join(lines) + "\n"
        if not _has_header(path):  # a journal killed within its header holds no row
            write_atomically(path, f"{_header(spec, provenance)}\n{text}")
            return
        cut = not _ends_with_newline(path)  # the run before was killed while writing: its cut line is skipped when read
        append_durably(path, (("\n" if cut else "") + text).encode())

    def finish(self, spec: CellSpec, rows: Iterable[SampleRow], provenance: dict[str, JsonValue]) -> None:
        """Write the cell's file and drop its journal."""
        self.put(Cell(spec=spec, provenance=provenance, samples=tuple(sorted(rows, key=lambda row: row.id))))

    def put(self, cell: Cell) -> None:
        """Write a cell as a whole, a finished one as its file, an unfinished one as its journal."""
        key = cell.spec.key
        if cell.finished:
            write_atomically(self._path(key, "json"), cell.model_dump_json(indent=1))
            self._drop_journal(key)
            return
        error = [json.dumps({"error": cell.error})] if cell.error else []
        lines = [_header(cell.spec, cell.provenance), *(row.model_dump_json() for row in cell.samples), *error]
        write_atomically(self._path(key, "jsonl"), "\n".join(lines) + "\n")

    def drop(self, spec: CellSpec) -> None:
        """Remove what was begun of a cell, if it is not finished."""
        self._drop_journal(spec.key)

    @contextmanager
    def held(self, cells: Mapping[str, str]) -> Iterator[None]:
        """Hold the cells, given by key with a word for each, against other processes.

        Raises:
            InvalidInput: another process writes one of them.
            CannotWrite: the folder cannot be written into.
        """
        if not cells:  # so that what is finished can be read from a folder that is read-only
            yield
            return
        with held(self.folder / LOCK, cells):
            self._sweep(cells)
            yield

    def holds_cells(self) -> bool:
        """Whether there is any file of a cell."""
        return any(True for pattern in ("*.json", "*.jsonl") for _ in self.folder.glob(pattern))

    def cells(self) -> list[Cell]:
        """All cells of the folder, finished or not, in the order of their keys.

        Raises:
            InvalidInput: the folder holds no cells, or a file that is not a cell of this schema.
        """
        keys = sorted({path.stem for pattern in ("*.json", "*.jsonl") for path in self.folder.glob(pattern)})
        if not keys:
            raise InvalidInput(f"{self.folder.parent} holds no results; make some with: robustiqa bench --out DIR.")
        cells = []
        for key in keys:
            done, journal = self._finished(key), self._journal(self._path(key, "jsonl"))
            cells += [_merge(done, journal)] if done or journal else []
        return cells

    def _finished(self, key: str) -> Cell | None:
        path = self._path(key, "json")
        if not path.is_file():
            return None
        try:
            return Cell.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise _no_cell(path, error) from error

    def _journal(self, path: Path) -> Cell | None:
        if not path.is_file():
            return None
        records = [record for record in map(_parse, path.read_bytes().split(b"\n")) if record]
        header = next((record for record in records if "spec" in record), None)
        if header is None:
            return None
        rows = [record for record in records if "spec" not in record and "error" not in record]
        error = records[-1].get("error", "")
        try:
            return Cell.model_validate({**header, "samples": rows, "finished": False, "error": error})
        except ValidationError as error:
            raise _no_cell(path, error) from error

    def _sweep(self, keys: Container[str]) -> None:
        """Temporary files that a killed process left of cells that are ours now."""
        for path in self.folder.glob(".*.tmp"):
            if path.name[1:].partition(".")[0] in keys:
                with suppress(OSError):
                    path.unlink()

    def _drop_journal(self, key: str) -> None:
        path = self._path(key, "jsonl")
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(path, error) from error

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / f"{key}.{suffix}"


def _header(spec: CellSpec, provenance: Mapping[str, JsonValue]) -> str:
    header = {"schema_version": SCHEMA, "spec": spec.model_dump(mode="json"), "provenance": provenance}
    return json.dumps(header, allow_nan=False)


def _merge(done: Cell | None, journal: Cell | None) -> Cell:
    parts = [cell for cell in (done, journal) if cell is not None]
    rows = {row.id: row for cell in parts for row in cell.samples}
    update = {"samples": tuple(rows.values()), "finished": journal is None, "error": parts[-1].error}
    return parts[0].model_copy(update=update)


def _no_cell(path: Path, error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return InvalidInput(f"{path} is not a cell of schema {SCHEMA} ({where}: {first['msg']}); delete it to recompute.")


def _parse(line: bytes) -> dict[str, JsonValue] | None:
    """A journal line; None for one that a kill cut short, be it within a letter."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # thousands of brackets
        return None
    return record if isinstance(record, dict) else None


def _has_header(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        return "spec" in (_parse(file.readline()) or {})


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
