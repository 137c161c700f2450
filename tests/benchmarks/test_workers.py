"""Worker processes: the same rows as one process, whatever happens to a worker."""

import os
import signal
from dataclasses import replace

import pytest

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import run
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.workers import WorkerLost
from robustiqa.core.errors import InvalidInput
from tests.benchmarks.test_bench import Unreadable, rows_of
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


def request(*models):
    return Request(models, (load_attack("pgd:steps=2"),), (memory(7),), directions=("up", "tomean"))


def test_rows_are_those_of_one_process(tmp_path):
    """A model of the package, one of a test's module and one of a user's file, with pictures and judges; resumed too."""
    file = tmp_path / "own.py"
    file.write_text(FILE)
    options = {"directions": ["up"], "batch_size": 3, "save_images": True, "judges": ["psnr"]}
    models = ["ssim", Wavy(), f"{file}:Own"]
    rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "one", **options)
    rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "two", limit=2, **options)
    outcome = rq.bench(models, ["pgd:steps=2"], memory(7), out=tmp_path / "two", jobs=2, **options)
    assert outcome.failures == ()
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two")
    assert not list((tmp_path / "two").rglob("*.jsonl"))
    assert {p.name for p in (tmp_path / "one" / "images").iterdir()} == {p.name for p in (tmp_path / "two" / "images").iterdir()}


def test_a_killed_worker_costs_its_batch_a_second_try(tmp_path):
    """The run goes on, and nothing is missing; a model that kills every time fails its own jobs, the other's are whole."""
    jobs = plan(request(Deadly(tmp_path / "mark"), Linear()))
    assert run(jobs, tmp_path / "once", batch_size=3, workers=2).failures == ()
    run(jobs, tmp_path / "one", batch_size=3)
    assert rows_of(tmp_path / "once") == rows_of(tmp_path / "one")
    outcome = run(plan(request(Deadly(), Linear())), tmp_path / "always", batch_size=4, workers=2)
    assert {job.spec.model.name for job, _ in outcome.failures} == {"deadly"}
    assert len(outcome.failures) == 3
    assert all(isinstance(error, WorkerLost) for _, error in outcome.failures)
    linear = [row.n for row in rq.load_results(tmp_path / "always").rows() if row.view.spec.model.name == "linear"]
    assert set(linear) == {7}


def test_whatever_a_worker_raises_fails_its_own_job(tmp_path):
    """Errors that cannot travel say their type; an unreadable image keeps its own, and earlier batches are kept."""
    data = Unreadable(**{f: getattr(memory(8), f) for f in ("name", "pairs", "higher_better", "human_score", "labels")})
    base = replace(request(Faulty(), Linear()), datasets=(data,), directions=("up",))
    outcome = run(plan(base), tmp_path, batch_size=2, workers=2)
    errors = {(job.spec.model.name, job.spec.purpose): error for job, error in outcome.failures}
    assert set(errors) == {("faulty", "calibration"), ("faulty", "attack"), ("linear", "attack")}
    assert "Unsendable: one and 2" in str(errors["faulty", "attack"])
    assert type(errors["linear", "attack"]).__name__ == "UnreadableImage"
    results = rq.load_results(tmp_path)
    rows = {row.view.spec.model.name: row for row in results.rows(["up"])}
    assert rows["linear"].n >= 4
    assert (rows["faulty"].n, "failed" in rows["faulty"].flags) == (0, True)
    (trace,) = [cell.error for cell in results.cells if cell.spec.model.name == "faulty" and cell.spec.attack]
    assert "test_workers.py" in trace
    assert 'raise Unsendable("one", 2)' in trace


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 3}])
def test_processes_are_of_one_thread(tmp_path, options):
    """Both at once would be more threads than anyone asked for."""
    with pytest.raises(InvalidInput, match="one CPU thread"):
        rq.bench([Linear()], ["fgsm"], memory(2), jobs=2, out=tmp_path, **options)
