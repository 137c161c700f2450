"""Cells: what names them, what is computed again, what survives a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.base import Attack
from robustiqa.benchmarks.bench import bench
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import InvalidInput
from robustiqa.core.precision import Haste
from robustiqa.defenses.base import Defense
from robustiqa.models import load_model
from robustiqa.reports.results import load_results
from tests.toys import Cliff, Linear, Net, memory

BASE = Request(models=(Linear(),), attacks=(load_attack("bim:steps=2"),), datasets=(memory(),), crop=16)


def key(request):
    return {job.spec.key for job in plan(request) if job.spec.purpose == "attack" and job.spec.direction == "up"}


@pytest.mark.parametrize(
    "change",
    [{"eps": (4 / 255,)}, {"crop": 20}, {"seed": 1}, {"attacks": (load_attack("bim:steps=3"),)}, {"models": (Cliff(),)},
     {"datasets": (memory(9),)}],
)  # fmt: skip
def test_whatever_decides_a_number_decides_the_key(change):
    """ε, crop, seed, attack parameters, model and dataset are in the hash."""
    assert not key(BASE) & key(replace(BASE, **change))


def test_haste_is_in_the_key_of_attacks_on_networks_alone():
    """Precision and compilation of the search decide its images; scores are the model's own, and so are their cells."""
    network = replace(BASE, models=(Net(),))
    hastes = (Haste(), Haste("bf16"), Haste(compiled=True), Haste("bf16", compiled=True))
    assert len(set.union(*(key(replace(network, haste=haste)) for haste in hastes))) == 4
    for purpose in ("clean", "calibration"):
        cells = [
            {job.spec.key for job in plan(replace(network, haste=haste)) if job.spec.purpose == purpose}
            for haste in hastes
        ]
        assert cells[0]
        assert all(one == cells[0] for one in cells)
    assert key(BASE) == key(replace(BASE, haste=Haste("bf16")))


def test_rows_of_a_hasty_search_are_flagged(tmp_path):
    """What the search followed stands beside the number."""
    request = replace(BASE, models=(Net(),), datasets=(memory(2),), directions=("up",), haste=Haste("bf16"))
    run([job for job in plan(request) if job.spec.purpose == "attack"], tmp_path)
    results = load_results(tmp_path)
    assert results.rows()
    assert all("bf16-search" in row.flags for row in results.rows())
    frame = results.to_dataframe()
    assert (set(frame["precision"]), set(frame["compiled"])) == ({"bf16"}, {False})


def test_limit_does_not_change_the_key():
    """A limit takes fewer rows of the same cell."""
    assert key(BASE) == key(replace(BASE, limit=3))


def test_weights_are_in_the_key():
    """The same architecture with other weights is another model."""
    first, second = (load_model("birqa", weights="random") for _ in range(2))
    base = replace(BASE, crop=None)
    assert key(replace(base, models=(first,))) == key(replace(base, models=(second,)))
    with torch.no_grad():
        next(second.parameters()).flatten()[0] += 1
    assert not key(replace(base, models=(first,))) & key(replace(base, models=(second,)))


def test_rerun_computes_nothing_and_a_higher_limit_only_what_is_new(tmp_path):
    """Images of finished rows are not even read."""
    data = memory()
    request = replace(BASE, datasets=(data,), limit=3, directions=("up",))
    run(plan(request), tmp_path)
    data.reads.clear()
    run(plan(request), tmp_path)
    assert data.reads == []
    run(plan(replace(request, limit=5)), tmp_path)
    assert set(data.reads) == {"3", "4"}


def test_down_is_computed_only_where_tomean_needs_it():
    """Quality at or above the mean of the whole dataset is attacked downwards, the rest upwards."""
    data = memory()
    jobs = [j for j in plan(replace(BASE, datasets=(data,), limit=6)) if j.spec.purpose == "attack"]
    by_direction = {job.spec.direction: {pair.id for pair in job.pairs} for job in jobs}
    mean = data.quality().mean()
    assert by_direction["up"] == {pair.id for pair in data.pairs[:6]}
    assert by_direction["down"] == {pair.id for pair in data.pairs[:6] if pair.human >= mean}


@dataclass(frozen=True)
class Raising(Attack):
    """An attack whose author made a mistake."""

    name = "raising"
    access = "white-box"
    paper = "none"

    def _search(self, search, x, ball, random):
        raise ZeroDivisionError("a mistake")


def test_an_attack_that_raises_fails_its_own_cells_only(tmp_path):
    """The other cells are finished, the failure is reported with its cause."""
    outcome = run(plan(replace(BASE, attacks=(Raising(), load_attack("fgsm")))), tmp_path)
    assert {job.spec.attack.name for job, _ in outcome.failures} == {"raising"}
    assert all(isinstance(error, ZeroDivisionError) for _, error in outcome.failures)
    rows = load_results(tmp_path).rows()
    assert {(row.view.spec.attack.name, row.n > 0, "failed" in row.flags) for row in rows} == {("fgsm", True, False), ("raising", False, True)}


def test_non_finite_scores_are_a_status_counted_and_never_averaged(tmp_path):
    """Rows with NaN are excluded and counted; the flag says so."""
    bench([Cliff()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    (row,) = load_results(tmp_path).rows()
    rows = row.view.rows
    bad = [r for r in rows if r.status == "non-finite"]
    assert row.n_excluded == len(bad) > 0
    assert row.n + row.n_excluded == len(rows)
    assert "non-finite-scores" in row.flags


@dataclass(frozen=True)
class Dim(Defense):
    """Halves the distorted image before the model sees it."""

    name = "dim"

    def apply(self, model):
        return Dimmed(model)


class Dimmed(Linear):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.info = model.info

    def compare(self, reference, dist):
        return self.model.compare(reference, dist * 0.5)


@pytest.mark.parametrize("threat", ["adaptive", "oblivious"])
def test_defended_numbers_carry_their_threat(tmp_path, threat):
    """Clean scores are the defended model's; an oblivious evaluation is flagged."""
    bench([Linear()], ["fgsm"], memory(), [Dim()], threat=threat, directions=["up"], out=tmp_path)
    (row,) = load_results(tmp_path).rows()
    assert row.view.spec.threat == threat
    assert ("non-adaptive" in row.flags) == (threat == "oblivious")
    pair = memory().pairs[0]
    ref, dist = (image[None] for image in memory().images(pair))
    clean = next(r.clean for r in row.view.rows if r.id == pair.id)
    assert clean == pytest.approx(float(Linear().score(ref, dist * 0.5)), rel=1e-5)


def test_a_torn_last_line_of_a_journal_is_skipped(tmp_path):
    """A kill in the middle of a write loses that batch, nothing else, and later rows still count."""
    jobs = plan(replace(BASE, directions=("up",)))
    job = next(job for job in jobs if job.spec.purpose == "attack")
    run(jobs, tmp_path / "whole")
    store = Store(tmp_path / "torn")
    rows = list(Store(tmp_path / "whole").read(job.spec).values())
    store.append(job.spec, rows[:2], {})
    path = tmp_path / "torn" / "cells" / f"{job.spec.key}.jsonl"
    path.write_bytes(path.read_bytes() + rows[2].model_dump_json().encode()[:40])
    assert set(store.read(job.spec)) == {row.id for row in rows[:2]}
    store.append(job.spec, rows[3:4], {})
    assert set(store.read(job.spec)) == {rows[0].id, rows[1].id, rows[3].id}


def test_a_file_that_is_no_cell_is_named(tmp_path):
    """Corrupt results are an error that names the file, not a silent gap."""
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "x.json").write_text(json.dumps({"schema_version": 1}))
    with pytest.raises(InvalidInput, match="x.json"):
        load_results(tmp_path)


CHILD = """
import sys, time
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.plan import plan
from tests.benchmarks.test_cells import BASE
import robustiqa.benchmarks.sharing.crew as crew
slow = crew.run_batch
def run_batch(job, batch):
    time.sleep(0.15)
    return slow(job, batch)
crew.run_batch = run_batch
from pathlib import Path
run(plan(BASE), Path(sys.argv[1]), batch_size=2)
"""


def rows_of(folder):
    """All rows without what may differ between runs: time."""
    return {
        (cell.spec.key, row.id): row.model_dump(exclude={"seconds"})
        for cell in load_results(folder).cells
        for row in cell.samples
    }


@pytest.mark.parametrize("batches", [1, 3, 6])
def test_a_killed_run_resumes_to_the_same_rows(tmp_path, batches):
    """SIGKILL after some batches; the journal holds them, and the resumed run equals an unbroken one."""
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "killed")], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    limit = time.monotonic() + 300

    def journaled():
        return sum(len(p.read_text().splitlines()) for p in (tmp_path / "killed").rglob("*.jsonl")) + 9 * len(
            list((tmp_path / "killed").rglob("*.json"))
        )

    while journaled() < 2 * batches and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = rows_of(tmp_path / "killed")
    run(plan(BASE), tmp_path / "killed", batch_size=2)
    run(plan(BASE), tmp_path / "whole", batch_size=2)
    whole = rows_of(tmp_path / "whole")
    assert rows_of(tmp_path / "killed") == whole
    assert kept.items() <= whole.items()
    assert len(kept) > 0
