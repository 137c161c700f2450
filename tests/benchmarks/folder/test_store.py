"""The store: a journal cut anywhere, files that are no cells, and what is read of both."""

import errno
import os

import pytest

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import CannotWrite, InvalidInput
from tests.toys import Linear, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")

NAMES = ("a", "ä\u2028b", "c\x85\x0b", "d")  # letters of two and three bytes, and what Python takes for line ends
ROWS = [SampleRow(id=name, reference=f"ref {name}", distortion="t", quality=1.0, status="ok", clean=0.5) for name in NAMES]


@pytest.fixture
def spec():
    request = Request((Linear(),), (load_attack("fgsm"),), (memory(),), directions=("up",))
    return next(job.spec for job in plan(request) if job.spec.purpose == "attack")


def journal(folder, spec):
    return folder / "cells" / f"{spec.key}.jsonl"


def test_any_sample_name_survives_the_journal_and_the_file(tmp_path, spec):
    """Line separators and other letters in ids do not cut rows."""
    store = Store(tmp_path)
    store.append(spec, ROWS, {})
    assert store.read(spec) == {row.id: row for row in ROWS}
    store.finish(spec, store.read(spec).values(), {})
    assert store.read(spec) == {row.id: row for row in ROWS}
    assert not journal(tmp_path, spec).exists()


def test_a_journal_cut_at_any_byte_loses_only_the_cut_row_and_can_go_on(tmp_path, spec):
    """Whatever a kill left of the last batch, or of the header, is skipped, and later rows are kept."""
    store, path = Store(tmp_path), journal(tmp_path, spec)
    store.append(spec, ROWS[:1], {})
    first = len(path.read_bytes())
    store.append(spec, ROWS[1:3], {})
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    for cut in (0, 1, header // 2, header - 1, header, *range(header + 1, first, 9), *range(first, len(whole) + 1)):
        path.write_bytes(whole[:cut])
        kept = store.read(spec)
        assert kept.items() <= {row.id: row for row in ROWS[:3]}.items()
        assert cut < first or "a" in kept
        store.append(spec, ROWS[3:], {})
        assert store.read(spec) == {**kept, "d": ROWS[3]}, cut


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"schema_version": 1}', b"[]"])
def test_whatever_is_no_cell_is_named(tmp_path, content, spec):
    """Half a file, another encoding or another schema: the error names the file and what to do with it."""
    store = Store(tmp_path)
    store.finish(spec, ROWS, {})
    path = tmp_path / "cells" / f"{spec.key}.json"
    path.write_bytes(content)
    for read in (store.cells, lambda: store.read(spec)):
        with pytest.raises(InvalidInput, match=rf"{path.name} is not a cell .*delete it"):
            read()


def test_a_cell_of_a_later_schema_is_refused(tmp_path, spec):
    """Numbers whose meaning may have changed are not read as if it had not."""
    store = Store(tmp_path)
    store.finish(spec, ROWS, {})
    path = tmp_path / "cells" / f"{spec.key}.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(InvalidInput, match=rf"{path.name} .*schema_version"):
        store.cells()


def test_a_journal_of_other_rows_is_named(tmp_path, spec):
    """A whole line that is no row is not a cut one: it is an error that names the journal."""
    store, path = Store(tmp_path), journal(tmp_path, spec)
    store.append(spec, ROWS[:1], {})
    path.write_text(path.read_text() + '{"id": "x"}\n')
    with pytest.raises(InvalidInput, match=path.name):
        store.read(spec)


def test_a_folder_without_cells_says_how_to_make_some(tmp_path):
    """An empty folder is bad input, not an empty report."""
    with pytest.raises(InvalidInput, match="robustiqa bench --out"):
        Store(tmp_path).cells()


def test_rows_of_a_failed_write_are_not_lost(tmp_path, spec, monkeypatch):
    """Where the cell's file cannot be written, the journal stays and the next run finishes from it."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    data, replace = memory(), os.replace
    jobs = plan(Request((Linear(),), (load_attack("fgsm"),), (data,), directions=("up",)))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda old, new: full() if str(new).endswith(".json") else replace(old, new))
        with pytest.raises(CannotWrite, match="No space left"):
            run(jobs[::-1], tmp_path)
    assert not list(tmp_path.rglob("*.json"))
    rows = Store(tmp_path).read(spec)
    assert len(rows) == 8
    data.reads.clear()
    assert run(jobs, tmp_path).failures == ()
    assert data.reads == []
    assert Store(tmp_path).read(spec) == rows
    assert all(cell.finished for cell in Store(tmp_path).cells())
