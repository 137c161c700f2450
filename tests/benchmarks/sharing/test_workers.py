"""Worker processes: the same rows as one process, whatever happens to a worker."""

import os
import signal
from dataclasses import replace

import pytest

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.sharing.ledger import WorkerLost
from robustiqa.benchmarks.sharing.workers import share
from robustiqa.core.errors import InvalidInput, UnreadableImage
from tests.benchmarks.test_running import Unreadable, rows_of
from tests.toys import Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")

FILE = """
import robustiqa as rq

class Own(rq.QualityModel):
    info = rq.ModelInfo("own", lower_better=True, paper="")
    def __init__(self):
        super().__init__()
        self.power = lambda x: x ** 2
    def compare(self, reference, dist):
        return self.power(dist - reference.image).flatten(1).mean(1)
"""


class Deadly(Linear):
    """Kills its process: once, where a file says that it has not yet, or always."""

    info = replace(Linear.info, name="deadly")

    def __init__(self, mark=None):
        super().__init__()
        self._mark, self._parent = mark, os.getpid()

    def compare(self, reference, dist):
        if os.getpid() != self._parent and (self._mark is None or not self._mark.exists()):
            if self._mark is not None:
                self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().compare(reference, dist)


class Faulty(Linear):
    """Raises what cannot be sent between processes as it is."""

    info = replace(Linear.info, name="faulty")

    def compare(self, reference, dist):
        raise Unsendable("one", 2)


class Unsendable(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def jobs_of(*models, data=None):
    """The attack of each model, without its calibration."""
    request = Request(models, (load_attack("pgd:steps=2"),), (data or memory(7),), directions=("up",))
    return [job for job in plan(request) if job.spec.purpose == "attack"]


def shared(jobs, folder, size):
    """Run by one worker process, since each costs seconds to start; what failed, by model."""
    return {job.spec.model.name: error for job, error in share(jobs, Store(folder), size, 1, lambda _: None)}


def test_rows_are_those_of_one_process(tmp_path):
    """A model of the package, one of a test's module and one of a user's file, with pictures and judges; resumed too.

    One that raises fails its own cells, which keep the worker's traceback and are rows of the report without samples.
    """
    file = tmp_path / "own.py"
    file.write_text(FILE)
    options = {"directions": ["up"], "batch_size": 3, "save_images": True, "judges": ["psnr"]}
    models = ["ssim", Wavy(), f"{file}:Own", Faulty()]
    rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "one", **options)
    rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "two", limit=2, **options)
    outcome = rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "two", jobs=2, **options)
    assert {job.spec.model.name for job, _ in outcome.failures} == {"faulty"}
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two")
    results = rq.load_results(tmp_path / "two")
    assert {cell.spec.model.name for cell in results.cells if not cell.finished} == {"faulty"}
    (row,) = [row for row in results.rows(["up"]) if row.view.spec.model.name == "faulty"]
    assert (row.n, "failed" in row.flags) == (0, True)
    (trace,) = [cell.error for cell in results.cells if cell.spec.model.name == "faulty" and cell.spec.attack]
    assert "test_workers.py" in trace
    assert 'raise Unsendable("one", 2)' in trace
    assert {p.name for p in (tmp_path / "one" / "images").iterdir()} == {p.name for p in (tmp_path / "two" / "images").iterdir()}


def test_a_killed_worker_costs_its_batch_a_second_try(tmp_path):
    """The run goes on, and nothing is missing."""
    jobs = jobs_of(Deadly(tmp_path / "mark"), Linear())
    assert shared(jobs, tmp_path / "killed", 3) == {}
    run(jobs, tmp_path / "whole", batch_size=3)
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")


def test_what_kills_every_time_or_raises_fails_its_own_job(tmp_path):
    """The error names the batch or is the one raised, with its traceback; what cannot travel says its type."""
    data = Unreadable(**{f: getattr(memory(8), f) for f in ("name", "pairs", "higher_better", "human_score", "labels")})
    failures = shared([*jobs_of(Deadly(), Faulty(), Linear()), *jobs_of(Wavy(), data=data)], tmp_path, 4)
    assert isinstance(failures.pop("deadly"), WorkerLost)
    faulty = failures.pop("faulty")
    assert "Unsendable: one and 2" in str(faulty)
    assert type(failures.pop("wavy")) is UnreadableImage
    assert failures == {}
    cells = {cell.spec.model.name: cell for cell in Store(tmp_path).cells()}
    assert (len(cells["linear"].samples), cells["linear"].finished) == (7, True)
    assert (len(cells["wavy"].samples), cells["wavy"].finished) == (4, False)


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 3}])
def test_processes_are_of_one_thread(tmp_path, options):
    """Both at once would be more threads than anyone asked for."""
    with pytest.raises(InvalidInput, match="one CPU thread"):
        rq.bench([Linear()], ["fgsm"], memory(2), jobs=2, out=tmp_path, **options)
