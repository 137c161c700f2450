"""Plug-ins that raise: their own cells keep the traceback, all others are done, and the exit code says so."""

from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import ClassVar
from unittest import mock

import pytest

import robustiqa as rq
from robustiqa.attacks import ATTACKS
from robustiqa.attacks.fgsm import FGSM
from robustiqa.core.errors import InvalidInput
from robustiqa.defenses import DEFENSES
from robustiqa.defenses.base import Defense
from tests.command import robustiqa
from tests.toys import Linear, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


class Fragile(Linear):
    """Fails from its third comparison of five images on, until it is mended."""

    info = replace(Linear.info, name="fragile")
    mended: ClassVar[bool] = False

    def compare(self, reference, dist):
        if len(dist) == 2 and not self.mended:
            raise ZeroDivisionError("two images")
        return super().compare(reference, dist)


@dataclass(frozen=True)
class Broken(FGSM):
    """Raises in its search."""

    name: ClassVar[str] = "broken"

    def _search(self, search, x, ball, random):
        raise LookupError("no such gradient")


@dataclass(frozen=True)
class Forgetful(FGSM):
    """Raises when asked what it has learned, before anything runs."""

    name: ClassVar[str] = "forgetful"

    def learned(self, model, sign):
        raise OSError("the file is gone")


@dataclass(frozen=True)
class Explosive(Defense):
    """Raises when it is applied."""

    name: ClassVar[str] = "explosive"

    def apply(self, model):
        raise MemoryError("boom")


@dataclass(frozen=True)
class Picky(Defense):
    """Says that the input is wrong."""

    name: ClassVar[str] = "picky"

    def apply(self, model):
        raise InvalidInput("picky: not this model.")


def errors_of(folder):
    """The last line of each cell's traceback, by (defense, attack)."""
    cells = rq.load_results(folder).cells
    return {
        (cell.spec.defense and cell.spec.defense.name, cell.spec.attack and cell.spec.attack.name): cell.error.strip().split("\n")[-1]
        for cell in cells
        if cell.error
    }


def bench(folder, models=(Linear,), attacks=("fgsm",), defenses=(None,), **more):
    return rq.bench([m() for m in models], attacks, memory(), defenses, directions=["up"], out=folder, **more)


@pytest.mark.parametrize("cls", [Broken, Forgetful])
def test_an_attack_that_raises_fails_its_cells_and_no_others(tmp_path, cls):
    """In its search or before it; the traceback names the line of the plug-in."""
    outcome = bench(tmp_path, attacks=(cls(), "fgsm"))
    assert [job.spec.attack.name for job, _ in outcome.failures] == [cls.name]
    assert set(errors_of(tmp_path)) == {(None, cls.name)}
    (failed,) = [cell for cell in rq.load_results(tmp_path).cells if cell.error]
    assert failed.error.startswith("Traceback")
    assert "test_failures.py" in failed.error
    assert failed.spec.attack.code != "built-in"
    rows = {row.view.spec.attack.name: row for row in rq.load_results(tmp_path).rows()}
    assert (rows["fgsm"].n, "failed" in rows["fgsm"].flags) == (8, False)
    assert (rows[cls.name].n, "failed" in rows[cls.name].flags) == (0, True)


def test_a_defense_that_raises_fails_its_cells_and_no_others(tmp_path):
    """Calibration and attack alike; the undefended model and another defense are measured."""
    outcome = bench(tmp_path, defenses=(None, Explosive(), "gaussian"))
    assert {job.spec.defense.name for job, _ in outcome.failures} == {"explosive"}
    assert errors_of(tmp_path) == {("explosive", None): "MemoryError: boom", ("explosive", "fgsm"): "MemoryError: boom"}
    rows = {row.view.spec.defense and row.view.spec.defense.name: row for row in rq.load_results(tmp_path).rows()}
    assert {name: row.n for name, row in rows.items()} == {None: 8, "explosive": 0, "gaussian": 8}


def test_what_raised_before_its_cells_ran_fails_them_in_worker_processes_too(tmp_path):
    """The error travels to the worker that stands in for the plug-in, and back; the others' cells are done."""
    outcome = bench(tmp_path, attacks=(Forgetful(), "fgsm"), defenses=(None, Explosive()), jobs=2)
    assert {job.spec.defense and job.spec.defense.name for job, _ in outcome.failures} == {None, "explosive"}
    errors = {(c.spec.defense is None, c.spec.attack and c.spec.attack.name): c.error for c in rq.load_results(tmp_path).cells}
    assert "OSError: the file is gone" in errors[True, "forgetful"]
    assert "MemoryError: boom" in errors[False, "fgsm"]
    assert "test_failures.py" in errors[True, "forgetful"]
    done = {cell.spec.attack and cell.spec.attack.name for cell in rq.load_results(tmp_path).cells if not cell.error}
    assert done == {None, "fgsm"}


def test_bad_input_stops_before_anything_runs(tmp_path):
    """A plug-in that says so is no crash: nothing is written."""
    with pytest.raises(InvalidInput, match="not this model"):
        bench(tmp_path, defenses=(None, Picky()))
    assert not list(tmp_path.rglob("*.json*"))


def test_what_was_done_before_the_error_is_kept_and_the_error_is_forgotten_once_mended(tmp_path, monkeypatch):
    """Batches of three, three and two: six rows stand beside the traceback; then only the last two are computed."""
    bench(tmp_path, models=(Fragile,), batch_size=3)
    (failed,) = [cell for cell in rq.load_results(tmp_path).cells if cell.error and cell.spec.attack]
    assert (len(failed.samples), failed.finished) == (6, False)
    assert "ZeroDivisionError: two images" in failed.error
    (row,) = rq.load_results(tmp_path).rows()
    assert {"failed", "unfinished"} <= set(row.flags)
    monkeypatch.setattr(Fragile, "mended", True)
    assert bench(tmp_path, models=(Fragile,), batch_size=3).failures == ()
    assert errors_of(tmp_path) == {}
    (row,) = rq.load_results(tmp_path).rows()
    assert (row.n, {"failed", "unfinished"} & set(row.flags)) == (8, set())


def test_fail_fast_stops_at_the_first_failure(tmp_path):
    """What comes after it is not run; without it, it is."""
    for fail_fast, done in ((True, 0), (False, 1)):
        folder = tmp_path / str(fail_fast)
        outcome = bench(folder, attacks=(Broken(), "fgsm"), fail_fast=fail_fast)
        assert len(outcome.failures) == 1
        names = [cell.spec.attack.name for cell in rq.load_results(folder).cells if cell.spec.attack and not cell.error]
        assert names == ["fgsm"] * done


@pytest.fixture
def plugins(monkeypatch):
    """Installed plug-ins: an attack that raises, a defense that raises, and one that cannot even be imported."""
    points = {
        ATTACKS.group: [EntryPoint("broken", f"{__name__}:Broken", ATTACKS.group)],
        DEFENSES.group: [
            EntryPoint("explosive", f"{__name__}:Explosive", DEFENSES.group),
            EntryPoint("missing", f"{__name__}_not_there:X", DEFENSES.group),
        ],
    }
    with mock.patch("robustiqa.core.registry.entry_points", lambda group: points.get(group, [])):
        yield


@pytest.mark.usefixtures("plugins")
def test_the_command_line_reports_failures_and_exits_with_1(tmp_path):
    """One line each on standard error, the others' table on standard output."""
    arguments = ["bench", "--model", "psnr", "--attack", "fgsm", "--limit", "2", "--crop", "32", "--direction", "up", "--threads", "1"]
    extra = ["--attack", "broken", "--defense", "none", "--defense", "explosive", "--defense", "missing"]
    done = robustiqa(*arguments, *extra, "--out", tmp_path / "all")
    assert done.returncode == 1
    assert "failed: defense missing: BrokenPlugin" in done.stderr
    assert "psnr demo broken up: LookupError: no such gradient" in done.stderr
    assert "psnr explosive demo fgsm up: MemoryError: boom" in done.stderr
    assert "tracebacks are in" in done.stderr
    assert "fgsm" in done.stdout
    fast = robustiqa(*arguments, *extra, "--fail-fast", "--out", tmp_path / "fast")
    assert fast.returncode == 1
    assert not (tmp_path / "fast").exists()
    none_left = robustiqa(*arguments, "--defense", "missing", "--out", tmp_path / "none")
    assert (none_left.returncode, (tmp_path / "none").exists()) == (1, False)
    sound = robustiqa(*arguments, "--out", tmp_path / "sound")
    assert sound.returncode == 0
