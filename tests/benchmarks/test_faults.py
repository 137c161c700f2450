"""A bench whose disk fails at any write: no mixed file, one line, exit code 1, and the next run is whole."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import CannotWrite, InvalidInput
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa
from tests.toys import Linear, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
OPTIONS = {"directions": ["up"], "batch_size": 2, "judges": [], "save_images": True}


def bench(folder):
    return rq.bench([Linear()], ["fgsm"], memory(3), out=folder, **OPTIONS)


class Failing:
    """``os.NAME``, of which one call below a folder's cells or images fails, before or in the middle of its work."""

    def __init__(self, name, at, code):
        self.real, self.name, self.at, self.code, self.calls = getattr(os, name), name, at, code, 0

    def __call__(self, *arguments, **keywords):
        self.calls += 1
        if self.calls != self.at:
            return self.real(*arguments, **keywords)
        if self.name == "write":
            self.real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        raise OSError(self.code, os.strerror(self.code))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The rows of an undisturbed run, and how often it calls each function of the system."""
    counts = {}
    for name in ("write", "fsync", "replace"):
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: memory(2))
            counter = Failing(name, -1, 0)
            patch.setattr(os, name, counter)
            bench(folder)
            counts[name] = counter.calls
            rows = rows_of(folder)
    return rows, counts


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("name", ["write", "fsync", "replace"])
def test_a_fault_at_any_write_of_a_run_loses_at_most_the_batch_in_hand(tmp_path, monkeypatch, whole, name, code):
    """Each call fails once: the run stops with the reason, every file reads, and the same bench finishes it."""
    monkeypatch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: memory(2))
    rows, counts = whole
    assert counts[name] > 4
    for at in range(1, counts[name] + 1, {"fsync": 3}.get(name, 1) if code == errno.ENOSPC else 7):
        folder = tmp_path / str(at)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, Failing(name, at, code))
            with pytest.raises(CannotWrite, match=os.strerror(code)):
                bench(folder)
        left = rows_of(folder) if list(folder.rglob("*.json*")) else {}
        assert left.items() <= rows.items()
        assert not list(folder.rglob("*.tmp"))
        assert bench(folder).failures == ()
        assert rows_of(folder) == rows


def test_what_a_killed_process_left_behind_is_swept(tmp_path):
    """Temporary files of the run's own cells; nobody else's."""
    (tmp_path / "cells").mkdir()
    own, other = (tmp_path / "cells" / f".{key}.json.0123.tmp" for key in (jobs()[0].spec.key, "0" * 32))
    own.touch()
    other.touch()
    assert run(jobs(), tmp_path).failures == ()
    assert (own.exists(), other.exists()) == (False, True)


def test_the_command_line_says_it_in_a_line(tmp_path, monkeypatch):
    """Exit code 1, no traceback; likewise where the folder cannot be made."""
    arguments = ["bench", "--model", "psnr", "--attack", "fgsm", "--limit", "2", "--crop", "24", "--threads", "1", "--judges", "none"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", Failing("fsync", 3, errno.ENOSPC))
        done = robustiqa(*arguments, "--out", tmp_path / "run")
    assert done.returncode == 1
    line = next(line for line in done.stderr.splitlines() if line.startswith("robustiqa:"))
    assert "No space left on device" in line
    assert "Traceback" not in done.stderr
    (tmp_path / "file").write_text("")
    done = robustiqa(*arguments, "--out", tmp_path / "file")
    assert (done.returncode, "cannot write" in done.stderr) == (1, True)


HOLDING = """
import sys, time
from pathlib import Path
from robustiqa.benchmarks.sharing import crew
from robustiqa.benchmarks.running import run
from tests.benchmarks.test_faults import jobs
def slowly(job, batch):
    (Path(sys.argv[1]) / "begun").touch()
    time.sleep(60)
crew.run_batch = slowly
run(jobs(), Path(sys.argv[1]))
"""


def jobs():
    request = Request((Linear(),), (load_attack("fgsm"),), (memory(6),), directions=("up",))
    return [job for job in plan(request) if job.attack is not None]


def test_a_second_process_on_the_same_cells_is_refused(tmp_path):
    """Until the first one ends; what it holds is not touched."""
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
    try:
        limit = time.monotonic() + 300
        while not (tmp_path / "begun").exists() and child.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
        with pytest.raises(InvalidInput, match=r"another process is writing to .*linear memory fgsm up"):
            run(jobs(), tmp_path)
    finally:
        child.kill()
        child.wait()
    assert run(jobs(), tmp_path).failures == ()
