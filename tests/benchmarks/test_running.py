"""Running cells: what is computed, what fails alone, and what a kill can take."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

import robustiqa as rq
from robustiqa.attacks.fgsm import FGSM
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import InvalidInput, UnreadableImage
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.defenses.base import Defense
from robustiqa.statistics import random_signs
from tests.toys import Constant, Linear, Memory, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
TIMES = {"seconds"}


class Counting(QualityModel):
    """Linear in the image, and counts the images that it compares."""

    info = ModelInfo("counting", lower_better=False, paper="toy")

    def __init__(self):
        super().__init__()
        self.compared = 0

    def compare(self, reference, dist):
        self.compared += len(dist)
        return (dist * torch.linspace(-1, 1, dist[0].numel()).view(dist.shape[1:])).flatten(1).sum(1)


def rows_of(folder):
    return {
        (cell.spec.key, row.id): row.model_dump(exclude=TIMES)
        for cell in rq.load_results(folder).cells
        for row in cell.samples
    }


def assert_same(one, two):
    """The same samples with the same words, and numbers equal but for the order of sums."""
    assert one.keys() == two.keys()
    for key, row in one.items():
        assert {k: v for k, v in row.items() if isinstance(v, str)} == {k: v for k, v in two[key].items() if isinstance(v, str)}
        numbers = [k for k, v in row.items() if isinstance(v, float)]
        np.testing.assert_allclose([two[key][k] for k in numbers], [row[k] for k in numbers], rtol=1e-4, atol=1e-4)


def keys(request):
    return {job.spec.key for job in plan(request) if job.spec.purpose == "attack"}


def test_a_rerun_calls_no_model_and_a_higher_limit_pays_for_the_new_samples_only(tmp_path):
    """Counted in compared images: nothing twice, and a third sample costs a third of what three do."""
    model = Counting()
    run_it = lambda limit: rq.bench([model], ["pgd:steps=2"], memory(), directions=["up"], limit=limit, out=tmp_path)  # noqa: E731
    run_it(2)
    first, calibration = model.compared, 12 + 2  # one of each of its two batches again, alone
    each = (first - calibration) / 2
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    run_it(2)
    assert model.compared == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == files
    run_it(5)
    assert model.compared == first + 3 * each
    assert {len(cell.samples) for cell in rq.load_results(tmp_path).cells} == {5, 12}


@pytest.mark.parametrize("size", [1, 3])
def test_batch_size_changes_neither_keys_nor_rows(tmp_path, size):
    """How samples are grouped, for a random attack too, is no part of a cell."""
    for name, batch_size in (("eight", 8), ("other", size)):
        rq.bench([Linear()], ["pgd:steps=2"], memory(), batch_size=batch_size, out=tmp_path / name)
    one, two = rows_of(tmp_path / "eight"), rows_of(tmp_path / "other")
    assert_same(one, two)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_change_neither_keys_nor_rows(tmp_path, threads):
    """Samples of a batch are shared out; more threads than samples are no harm. Torch keeps its own setting."""
    before = torch.get_num_threads()
    for count in (1, threads):
        rq.bench([Linear()], ["square:queries=5"], memory(), batch_size=4, out=tmp_path / str(count), threads=count)
    one, shared = rows_of(tmp_path / "1"), rows_of(tmp_path / str(threads))
    assert_same(one, shared)
    assert torch.get_num_threads() == before


def test_direction_defense_and_threat_are_in_the_key():
    """An attack upwards and one downwards, adaptive and oblivious, are cells of their own; the order is not."""
    base = Request((Linear(),), (FGSM(),), (memory(),), (None, Dim()), directions=("up",))
    down, oblivious = replace(base, directions=("down",)), replace(base, threat="oblivious")
    assert len(keys(base)) == 2
    assert not keys(base) & keys(down)
    assert len(keys(base) & keys(oblivious)) == 1  # without a defense there is nothing to be oblivious of
    assert keys(replace(base, directions=("up", "down"))) == keys(replace(base, directions=("down", "up")))
    assert not keys(base) & keys(replace(base, defenses=(Dim(0.7),)))


def test_random_directions_need_each_sample_once():
    """Each sample goes where its coin says; the other sign is not computed."""
    data = memory()
    jobs = plan(Request((Linear(),), (FGSM(),), (data,), directions=("random",), seed=5))
    signs = random_signs([pair.id for pair in data.pairs], 5)
    ids = {job.spec.direction: {pair.id for pair in job.pairs} for job in jobs if job.spec.purpose == "attack"}
    assert ids == {
        name: {pair.id for pair, s in zip(data.pairs, signs, strict=True) if s == sign} for name, sign in (("up", 1), ("down", -1))
    }


def test_the_same_thing_asked_for_twice_is_run_once():
    """Repeated names make no second job."""
    base = Request((Linear(),), (FGSM(),), (memory(),))
    assert [j.spec for j in plan(base)] == [j.spec for j in plan(replace(base, attacks=(FGSM(),) * 2, eps=base.eps * 2))]


def test_instances_and_names_are_the_same_cells(tmp_path):
    """Down to the numbers."""
    rq.bench(["psnr"], ["fgsm"], memory(), out=tmp_path / "names")
    rq.bench([rq.load_model("psnr")], [rq.load_attack("fgsm")], memory(), out=tmp_path / "instances")
    assert rows_of(tmp_path / "names") == rows_of(tmp_path / "instances")


def test_names_of_demo_run_end_to_end(tmp_path):
    """Clean scores of whole images come with the crop's."""
    outcome = rq.bench(["ssim"], ["pgd:steps=2"], limit=3, crop=64, directions=["up"], out=tmp_path)
    assert outcome.failures == ()
    (row,) = rq.load_results(tmp_path).rows()
    assert row.n == 3
    assert {"crop-64", "expected-scores", "few-clusters"} <= set(row.flags)
    assert row.srocc_whole is not None
    assert set(row.view.whole) == {r.id for r in row.view.rows}
    assert all(r.linf <= 8 / 255 + 1e-7 and r.attacked >= r.clean for r in row.view.rows)


@dataclass(frozen=True)
class Dim(Defense):
    """Halves the distorted image."""

    name: ClassVar[str] = "dim"
    factor: float = 0.5

    def apply(self, model):
        return Dimmed(model, self.factor)


class Dimmed(QualityModel):
    def __init__(self, model, factor):
        super().__init__()
        self.model, self.factor, self.info = model, factor, model.info

    def compare(self, reference, dist):
        return self.model.compare(reference, dist * self.factor)


class Flat(Dim):
    """The defended model is constant."""

    def apply(self, model):
        return Constant()


def test_adaptive_follows_the_defended_model_and_oblivious_the_undefended_one(tmp_path):
    """Through a constant defense an adaptive attack finds no gradient; an oblivious one does, and gains nothing."""
    rows = {}
    for threat in ("adaptive", "oblivious"):
        rq.bench([Linear()], ["fgsm"], memory(), [Flat()], threat=threat, directions=["up"], out=tmp_path / threat)
        (rows[threat],) = rq.load_results(tmp_path / threat).rows()
    assert "dead-gradients" in rows["adaptive"].flags
    assert "dead-gradients" not in rows["oblivious"].flags
    assert all(r.linf == 0 for r in rows["adaptive"].view.rows)
    assert all(r.linf == pytest.approx(8 / 255) for r in rows["oblivious"].view.rows)
    assert all(r.clean == r.attacked == 0 for row in rows.values() for r in row.view.rows)


class Crash(Linear):
    info = replace(Linear.info, name="crash")

    def compare(self, reference, dist):
        raise RuntimeError("out of memory")


@dataclass(frozen=True)
class Unreadable(Memory):
    def images(self, pair):
        if pair.id == "5":
            raise UnreadableImage("5.png: no such file.")
        return super().images(pair)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_model_that_raises_fails_its_own_jobs_only(tmp_path, threads):
    """Its errors are reported one by one; the other model's rows are complete."""
    outcome = rq.bench([Crash(), Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path, threads=threads)
    assert {job.spec.model.name for job, _ in outcome.failures} == {"crash"}
    assert all("out of memory" in str(error) for _, error in outcome.failures)
    rows = rq.load_results(tmp_path).rows()
    assert [(row.view.spec.model.name, row.n, "failed" in row.flags) for row in rows] == [("crash", 0, True), ("linear", 8, False)]


def test_an_unreadable_image_fails_after_what_came_before_was_kept(tmp_path):
    """Earlier batches are journaled; once the file is back only the rest is computed."""
    data = Unreadable(**{f: getattr(memory(), f) for f in ("name", "pairs", "higher_better", "human_score", "labels")})
    outcome = rq.bench([Linear()], ["fgsm"], data, directions=["up"], batch_size=2, out=tmp_path)
    assert [type(error) for _, error in outcome.failures] == [UnreadableImage]
    (row,) = rq.load_results(tmp_path).rows(["up"])
    assert (row.n, "unfinished" in row.flags) == (4, True)
    whole = memory()
    rq.bench([Linear()], ["fgsm"], whole, directions=["up"], batch_size=2, out=tmp_path)
    assert set(whole.reads) == {"4", "5", "6", "7"}
    assert rq.load_results(tmp_path).rows()[0].n == 8


def test_progress_counts_every_sample_once(tmp_path):
    """From nothing to all, never backwards, also where part was done before."""
    request = Request((Linear(),), (FGSM(),), (memory(),), directions=("up",))
    run(plan(replace(request, limit=3)), tmp_path)
    heard = []
    run(plan(request), tmp_path, batch_size=2, progress=lambda label, done, total: heard.append((label, done, total)))
    assert {total for *_, total in heard} == {5}
    assert [done for _, done, _ in heard][-1] == 5
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)
    assert heard[-1][0] == "linear memory fgsm up"


def test_a_limit_that_leaves_nothing_is_refused(tmp_path):
    """Zero pairs are no benchmark."""
    with pytest.raises(InvalidInput, match="memory"):
        rq.bench([Linear()], ["fgsm"], memory(), limit=0, out=tmp_path)


@dataclass(frozen=True)
class Slow(FGSM):
    """Says on standard output that a batch has begun, and takes its time."""

    name: ClassVar[str] = "slow"

    def _search(self, search, x, ball, random):
        if os.environ.get("ANNOUNCE"):
            sys.stdout.write("batch\n")
            sys.stdout.flush()
            time.sleep(0.3)
        return super()._search(search, x, ball, random)


CHILD = """
import sys
from dataclasses import replace
from robustiqa.benchmarks import plan
from tests.benchmarks.test_running import Linear, Slow, memory
import robustiqa as rq
plan.load_demo = lambda: replace(memory(12), name="calibration")
rq.bench([Linear()], [Slow()], memory(), batch_size=2, out=sys.argv[1])
"""


@pytest.mark.parametrize("batch", [1, 4, 6])
def test_a_kill_loses_at_most_the_batch_in_hand(tmp_path, batch):
    """SIGKILL while the n-th batch is computed: all before it is kept, and the resumed run equals an unbroken one."""
    root = Path(__file__).parents[2]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    environment = os.environ | {"PYTHONPATH": str(root), "ANNOUNCE": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(killed)], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        for _ in range(batch):
            assert child.stdout.readline() == "batch\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    kept = rows_of(killed)
    assert len(kept) == 12 + 2 * (batch - 1)
    for folder in (killed, whole):
        assert rq.bench([Linear()], [Slow()], memory(), batch_size=2, out=folder).failures == ()
    assert kept.items() <= rows_of(whole).items()
    assert rows_of(killed) == rows_of(whole)
    assert rq.load_results(killed).to_dataframe().drop(columns="seconds").equals(
        rq.load_results(whole).to_dataframe().drop(columns="seconds")
    )
    assert not list(killed.rglob("*.jsonl"))
