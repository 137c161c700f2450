"""Provenance that is enough to make a cell again, and the comparison with what was recorded."""

import json

import pytest

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.rerunning import differences
from tests.command import robustiqa

pytestmark = pytest.mark.usefixtures("toy_calibration")


@pytest.fixture
def folder(tmp_path):
    """A finished run of a metric of the package, with a purifier."""
    done = robustiqa("bench", "--model", "psnr", "--defense", "bit-depth", "--attack", "pgd:steps=2", "--limit", "3", "--crop",
                     "24", "--direction", "up", "--threads", "1", "--judges", "none", "--out", tmp_path)  # fmt: skip
    assert done.returncode == 0
    return tmp_path


def cell_of(folder, purpose="attack"):
    return next(cell for cell in Store(folder).cells() if cell.spec.purpose == purpose)


def test_a_cell_says_all_that_made_it(folder):
    """Versions, device, threads, seed, specification, sha256 of data and weights, plug-ins, cost and flags."""
    cell = cell_of(folder)
    assert {"robustiqa", "torch", "torchvision", "numpy", "python", "platform", "device", "threads", "created"} <= cell.provenance.keys()
    own = cell.provenance["cell"]
    assert own["cost"]["samples"] == len(cell.samples) == 3
    assert own["cost"]["backwards"] == sum(row.backwards for row in cell.samples) > 0
    assert (own["plugins"], own["flags"], own["weights"]) == ({}, [], {})
    assert (len(cell.spec.dataset.manifest), len(cell.spec.model.weights), cell.spec.seed) == (64, 64, 0)
    assert cell.spec.attack.parameters["steps"] == 2


@pytest.mark.parametrize("purpose", ["attack", "clean"])
def test_a_cell_computed_again_is_equal(folder, purpose):
    """On the same machine and thread count: to the last bit; nothing is written."""
    before = {path: path.read_bytes() for path in folder.rglob("*.json*")}
    done = robustiqa("rerun", folder, cell_of(folder, purpose).spec.key[:12])
    assert done.returncode == 0
    assert "equal: all numbers of 3 samples" in done.stdout
    assert {path: path.read_bytes() for path in folder.rglob("*.json*")} == before


def test_a_number_that_differs_is_named_with_its_size(folder):
    """Exit code 1; the worst sample is told."""
    cell = cell_of(folder)
    rows = list(cell.samples)
    rows[1] = rows[1].model_copy(update={"attacked": rows[1].attacked + 0.25})
    Store(folder).put(cell.model_copy(update={"samples": tuple(rows)}))
    done = robustiqa("rerun", folder, f"{cell.spec.key}.json", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["equal"], found["samples"]) == (False, 3)
    (one,) = found["differences"]
    assert (one["name"], one["samples"], one["where"]) == ("attacked", 1, rows[1].id)
    assert one["largest"] == pytest.approx(0.25)


def test_what_cannot_be_made_again_says_why(folder):
    """Other code, an unknown cell, another version, code of others."""
    cell = cell_of(folder)
    assert "0 cells" in robustiqa("rerun", folder, "zz").stderr
    other = cell.spec.model_copy(update={"version": "0.0.1"})
    Store(folder).put(cell.model_copy(update={"spec": other}))
    done = robustiqa("rerun", folder, other.key)
    assert (done.returncode, "version of robustiqa (0.0.1 there" in done.stderr) == (2, True)
    evil = cell.spec.model_copy(update={"model": cell.spec.model.model_copy(update={"name": f"{folder}/evil.py:M"})})
    (folder / "evil.py").write_text(f"open({str(folder / 'mark')!r}, 'w')")
    Store(folder).put(cell.model_copy(update={"spec": evil}))
    done = robustiqa("rerun", folder, evil.key)
    assert (done.returncode, "--plugins" in done.stderr, (folder / "mark").exists()) == (2, True, False)


def test_differences_compare_missing_numbers_and_words():
    """None against a number, another status."""
    row = SampleRow(id="a", reference="r", distortion="d", quality=1.0, status="ok", clean=0.5, attacked=1.0)
    other = row.model_copy(update={"status": "non-finite", "attacked": None, "seconds": 9.0})
    found = {one.name: one.largest for one in differences({"a": row}, [other])}
    assert found == {"status": None, "attacked": None}
    assert differences({"a": row}, [row.model_copy(update={"judged": {"ssim": 1.0}})]) == []
    assert [one.largest for one in differences({"a": row}, [replace_row(row, clean=0.75)])] == [0.25]


def replace_row(row, **update):
    return row.model_copy(update=update)
