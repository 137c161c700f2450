"""What goes wrong within a cell stays within it: memory, hanging, NaN; and what is not the same is not continued."""

import time
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from PIL import Image

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.attacks.fgsm import FGSM
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.sharing import ledger, workers
from robustiqa.benchmarks.sharing.halving import is_out_of_memory
from robustiqa.benchmarks.sharing.ledger import Hung
from robustiqa.benchmarks.sharing.workers import share
from robustiqa.core.errors import InvalidInput
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa
from tests.toys import Cliff, Linear, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


class Greedy(Linear):
    """Runs out of memory with more images than it can take."""

    info = replace(Linear.info, name="greedy")
    limit: ClassVar[int] = 99
    error: ClassVar[Exception] = MemoryError()
    asked: ClassVar[list[int]] = []

    def compare(self, reference, dist):
        self.asked.append(len(dist))
        if len(dist) > self.limit:
            raise self.error
        return super().compare(reference, dist)


def bench(folder, models=(Linear,), data=None, **more):
    return rq.bench([m() for m in models], ["fgsm"], data or memory(), directions=["up"], out=folder, judges=[], **more)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.cuda.OutOfMemoryError("CUDA out of memory."), RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.")],
)
def test_a_batch_that_does_not_fit_is_halved_once_and_says_so(tmp_path, monkeypatch, error):
    """The rows are those of a run that fitted; the cell counts them."""
    bench(tmp_path / "roomy", models=(Greedy,))
    monkeypatch.setattr(Greedy, "limit", 4)
    monkeypatch.setattr(Greedy, "error", error)
    assert bench(tmp_path / "tight", models=(Greedy,)).failures == ()
    roomy, tight = rows_of(tmp_path / "roomy"), rows_of(tmp_path / "tight")
    assert {key: {**row, "halved": False} for key, row in tight.items()} == roomy
    (cell,) = [cell for cell in rq.load_results(tmp_path / "tight").cells if cell.spec.attack]
    assert [row.halved for row in cell.samples] == [True] * 8
    assert cell.provenance["cell"]["cost"]["halved"] == 8


def test_halves_that_do_not_fit_fail_the_cell(tmp_path, monkeypatch):
    """No endless halving; other errors are not tried again."""
    monkeypatch.setattr(Greedy, "limit", 3)
    Greedy.asked.clear()
    outcome = bench(tmp_path / "tight", models=(Greedy, Linear))
    assert {job.spec.model.name for job, _ in outcome.failures} == {"greedy"}
    assert min(Greedy.asked) == 4
    monkeypatch.setattr(Greedy, "error", RuntimeError("index 9 is out of bounds"))
    Greedy.asked.clear()
    bench(tmp_path / "wrong", models=(Greedy,))
    assert set(Greedy.asked) == {8}
    assert not is_out_of_memory(RuntimeError("the memory of an elephant"))


def test_a_model_of_nan_fails_no_other(tmp_path):
    """Its rows say non-finite; the other model's are as they are alone."""
    outcome = bench(tmp_path / "both", models=(Cliff, Linear))
    bench(tmp_path / "alone")
    assert outcome.failures == ()
    both, alone = rows_of(tmp_path / "both"), rows_of(tmp_path / "alone")
    assert alone.items() <= both.items()
    assert "non-finite" in {row["status"] for key, row in both.items() if key not in alone}


class Hanging(Linear):
    """Never ends, in its own process at least."""

    info = replace(Linear.info, name="hanging")

    def compare(self, reference, dist):
        time.sleep(1000)


def test_a_model_that_hangs_fails_its_own_cells_only(tmp_path, monkeypatch):
    """With a limit of seconds its worker is ended; what shared the pool with it is done, the cell says what happened."""
    monkeypatch.setattr(ledger, "GRACE", 3.0)
    monkeypatch.setattr(workers, "LOOK", 0.05)
    limits = Limits(max_seconds=0.1)
    request = Request((Hanging(), Linear()), (load_attack("fgsm"),), (memory(5),), directions=("up",), limits=limits)
    jobs = [job for job in plan(request) if job.attack is not None]
    outcome = run(jobs, tmp_path, batch_size=4)  # goes to a process of its own accord
    assert [(job.spec.model.name, type(error)) for job, error in outcome.failures] == [("hanging", Hung)]
    cells = {cell.spec.model.name: cell for cell in Store(tmp_path).cells()}
    assert (len(cells["linear"].samples), cells["linear"].finished) == (5, True)
    assert "Hung: hung on '0'" in cells["hanging"].error


def test_a_slow_batch_is_not_a_hanging_one(tmp_path):
    """Within the grace nothing is ended, however small the limit."""
    request = Request((Linear(),), (load_attack("fgsm"),), (memory(5),), directions=("up",), limits=Limits(max_seconds=1e-9))
    jobs = [job for job in plan(request) if job.attack is not None]
    assert share(jobs, Store(tmp_path), 4, 1, lambda _: None) == []


class Heavier(Linear):
    """The same name with other code."""

    def weights(self, dist):
        return super().weights(dist) * 2


class Weighted(Linear):
    """A model with one weight."""

    info = replace(Linear.info, name="weighted")
    value: ClassVar[float] = 1.0

    def __init__(self):
        super().__init__()
        self.register_buffer("factor", torch.tensor(self.value))

    def compare(self, reference, dist):
        return super().compare(reference, dist) * self.factor


@dataclass(frozen=True)
class Odd(FGSM):
    """A plug-in attack."""

    name: ClassVar[str] = "odd"


def test_a_folder_of_other_data_weights_code_or_version_is_not_continued(tmp_path, monkeypatch):
    """The message says which; nothing is computed or written."""
    bench(tmp_path, models=(Linear, Weighted))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")}
    with pytest.raises(InvalidInput, match=r"code of the model's plug-in \("):
        bench(tmp_path, models=(type("Linear", (Heavier,), {"__module__": __name__}),))
    with pytest.raises(InvalidInput, match=r"linear on memory fgsm .*data \(the dataset's names"):
        bench(tmp_path, data=replace(memory(), higher_better=True, pairs=tuple(replace(p, human=1 + p.human) for p in memory().pairs)))
    monkeypatch.setattr(Weighted, "value", 2.0)
    with pytest.raises(InvalidInput, match="weights of the model"):
        bench(tmp_path, models=(Weighted,))
    with monkeypatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.package_version", lambda: "9.9")
        with pytest.raises(InvalidInput, match=r"version of robustiqa \(\S+ there, 9.9 here\)"):
            bench(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")} == before
    bench(tmp_path, limit=3)
    bench(tmp_path, seed=1)  # another cell, which reports tell apart


MINE = """
import robustiqa as rq

class Mine(rq.QualityModel):
    info = rq.ModelInfo("mine", lower_better=True, paper="none")

    def compare(self, reference, dist):
        BODY
"""


def test_after_a_plugin_is_mended_the_same_command_goes_on(tmp_path):
    """What came to nothing is forgotten, so that no report has a failed cell beside the mended one."""
    arguments = ("bench", "--model", "mine.py:Mine", "--model", "psnr", "--attack", "fgsm", "--direction", "up",
                 "--limit", 2, "--crop", 32, "--judges", "none", "--quiet", "--out", "run")  # fmt: skip
    (tmp_path / "mine.py").write_text(MINE.replace("BODY", "raise RuntimeError('a bug')"))
    failed = robustiqa(*arguments, cwd=tmp_path)
    assert (failed.returncode, "a bug" in failed.stderr) == (1, True)
    (tmp_path / "mine.py").write_text(MINE.replace("BODY", "return (dist - reference.image).abs().mean((1, 2, 3))"))
    done = robustiqa(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    cells = rq.load_results(tmp_path / "run").cells
    assert all(cell.finished and not cell.error for cell in cells)
    assert {cell.spec.model.name for cell in cells} == {"mine.py:Mine", "psnr"}


def test_changed_images_are_not_continued(tmp_path):
    """The same names and scores over other pixels: the message names the cell and the image."""
    (tmp_path / "pairs.csv").write_text("reference,distorted,mos\n0.png,1.png,1\n0.png,2.png,2\n")
    for i in range(3):
        Image.new("RGB", (24, 24), (i, 50 * i, 9)).save(tmp_path / f"{i}.png")
    arguments = ["bench", "--model", "psnr", "--attack", "fgsm", "--dataset", f"csv={tmp_path}", "--direction", "up", "--threads", "1"]
    assert robustiqa(*arguments, "--out", tmp_path / "run").returncode == 0
    assert robustiqa(*arguments, "--out", tmp_path / "run").returncode == 0
    Image.new("RGB", (24, 24), (2, 100, 10)).save(tmp_path / "2.png")
    done = robustiqa(*arguments, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "other images" in done.stderr
    assert "2.png" in done.stderr
    (tmp_path / "2.png").unlink()
    assert robustiqa(*arguments, "--out", tmp_path / "run").returncode == 2
