"""What published data sets cost on machines of different sizes, from measured times: prints tables of docs/sizing.md.

Usage: python benchmarks/sizing.py FOLDER... --model lpips-alex --model birqa --gpu-speedup 60 > table.md

FOLDERs are results of ``robustiqa bench`` in processes of one thread; seconds per pass of each model come from their
rows and are scaled by the number of pixels. Passes come from what attacks declare, as in ``--dry-run``. Nothing here
has a GPU: how many CPU cores one is worth is an assumption that the caller gives. Scheduling is simulated: batches go
to whichever worker is free, once dearest first and once in the order of the plan; a sample takes its expected time
times a ratio that was measured between rows of one cell; slow workers (stragglers) take longer, and one process writes
each batch that comes back.
"""

import argparse
import heapq
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from torch import Tensor

import robustiqa as rq
from robustiqa.benchmarks.cell import Cell, SampleRow
from robustiqa.benchmarks.estimate import passes_per_sample
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.shards import BACKWARD
from robustiqa.datasets.base import Pair, PairDataset
from robustiqa.datasets.expected_scores import published_means

ATTACKS: Final = ("fgsm", "cw", "autoattack:standard")
EPS: Final = tuple(k / 255 for k in (2, 4, 8, 10))
ROWS: Final = 4  # none, R-, AT and AAT: the same architecture four times
BATCH: Final = 8
LONG: Final = 50  # passes of a search from which on what a batch costs once does not matter
SIDES: Final = {"kadid10k": (512, 384), "pipal": (288, 288)}
FLEETS: Final = (("1 CPU core", 1, False), ("8 GPUs", 8, True), ("64 GPUs", 64, True))
SLOWNESS: Final = ((0.0, 1.0), (0.01, 3.0), (0.05, 3.0), (0.05, 10.0))  # share of workers, and how slow they are


@dataclass(frozen=True)
class Shaped(PairDataset):
    """Ids and human scores of a published data set without its images: enough to plan with."""

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        raise FileNotFoundError(pair.id)


@dataclass(frozen=True)
class Times:
    """Of one model: seconds per forward pass and pixel in one thread, and ratios of rows to their cell's mean."""

    per_pixel: float
    seen: tuple[float, float]
    ratios: np.ndarray


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--gpu-speedup", type=float, required=True, help="assumed: how many CPU cores a GPU is worth")
    parser.add_argument("--workers", type=int, default=1000)
    options = parser.parse_args()
    cells = [cell for folder in options.folders for cell in Store(folder).cells() if cell.spec.attack and cell.finished]
    times = {model: measured(cells, model) for model in options.model}
    jobs = {name: planned(data, options.model) for name, data in datasets().items()}
    print(f"Assumed, not measured: one GPU is worth {options.gpu_speedup:g} CPU cores.\n")
    print("| data set | model | s per forward pass (seen) | forward passes | backward passes | "
          + " | ".join(name for name, _, _ in FLEETS) + " |")  # fmt: skip
    print("|:--|:--|--:|--:|--:|" + "--:|" * len(FLEETS))
    for name, some in jobs.items():
        for model in options.model:
            print(cost_line(name, model, times[model], [job for job in some if named(job) == model], options))
    print(f"\n{options.workers:,} workers of one CPU core, all models together:\n")
    write = seconds_of_a_write(cells[0])
    print(f"Writing a batch takes {1000 * write:.1f} ms (measured here).\n")
    print("| data set | slow workers | ideal | dearest first | share of ideal | as planned |")
    print("|:--|:--|--:|--:|--:|--:|")
    for name, some in [("kadid10k, 500 pairs", shortened(jobs["kadid10k"], 500)), *jobs.items()]:
        for share, factor in SLOWNESS:
            print(schedule_line(name, some, times, options.workers, share, factor, write))


def datasets() -> dict[str, Shaped]:
    """KADID-10k with its published means; PIPAL, whose scores are not at hand, with as many above the mean as below."""
    means = published_means()
    kadid = [Pair(f"I{r:02}_{t:02}_{lv:02}.png", f"I{r:02}", f"{t}", float(means[t, lv]), lv) for r in range(81)
             for t in range(means.shape[0]) for lv in range(means.shape[1])]  # fmt: skip
    pipal = [Pair(f"A{r:04}_{i:03}.bmp", f"A{r:04}", f"{i}", float(i % 2)) for r in range(200) for i in range(116)]
    return {name: Shaped(name, tuple(pairs), True, "", "") for name, pairs in (("kadid10k", kadid), ("pipal", pipal))}


def planned(data: Shaped, models: Sequence[str]) -> list[Job]:
    """The attacks of Table 3 on ``data``, of one row of it per model."""
    loaded = tuple(rq.load_model(f"{model}:weights=random" if model == "topiq" else model) for model in models)
    attacks = tuple(map(rq.load_attack, ATTACKS))
    return [job for job in plan(Request(loaded, attacks, (data,), eps=EPS)) if job.attack is not None]


def named(job: Job) -> str:
    return job.spec.model.name.split(":")[0]


def measured(cells: Iterable[Cell], model: str) -> Times:
    """Seconds per pass in the cells of a model with long searches; a backward pass counts as two forward ones.

    The lower quartile of cells is taken: what else runs on a machine only ever makes a cell slower.
    """
    own = [cell for cell in cells if cell.spec.model.name.split(":")[0] == model and cell.samples[0].forwards >= LONG]
    if not own:
        raise SystemExit(f"no finished attacks of {model} with at least {LONG} passes in the folders")
    found = [sum(row.seconds for row in cell.samples) / sum(map(work, cell.samples)) for cell in own]
    ratios = [row.seconds / np.mean([r.seconds for r in cell.samples]) for cell in own for row in cell.samples]
    return Times(float(np.quantile(found, 0.25)), (min(found), max(found)), np.array(ratios))


def work(row: SampleRow) -> int:
    """Pixels that went through the model, as forward passes."""
    return row.size[0] * row.size[1] * units(row.forwards, row.backwards)


def units(forwards: int, backwards: int) -> int:
    return forwards + BACKWARD * backwards


def shortened(jobs: Sequence[Job], count: int) -> list[Job]:
    """As ``--limit``: the first so many pairs."""
    kept = {pair.id for pair in jobs[0].dataset.limited(count).pairs}
    return [replace(job, pairs=tuple(pair for pair in job.pairs if pair.id in kept)) for job in jobs]


def declared(job: Job) -> tuple[int, int]:
    passes = passes_per_sample(job)
    if passes is None:
        raise SystemExit(f"{job.spec.attack} does not declare its passes")
    return passes


def seconds(job: Job, times: Times) -> float:
    """Of a sample, in one thread."""
    width, height = SIDES[job.spec.dataset.name]
    return times.per_pixel * width * height * units(*declared(job))


def cost_line(name: str, model: str, times: Times, jobs: Sequence[Job], options: argparse.Namespace) -> str:
    width, height = SIDES[name]
    forwards, backwards = (ROWS * sum(len(job.pairs) * declared(job)[i] for job in jobs) for i in (0, 1))
    whole = ROWS * sum(len(job.pairs) * seconds(job, times) for job in jobs)
    shares = [whole / (count * (options.gpu_speedup if gpu else 1)) for _, count, gpu in FLEETS]
    low, high = (width * height * bound for bound in times.seen)
    each = f"{times.per_pixel * width * height:.2f} ({low:.2f} to {high:.2f})"
    cells = [name, model, each, f"{forwards:.2e}", f"{backwards:.2e}"]
    return "| " + " | ".join([*cells, *map(spoken, shares)]) + " |"


def schedule_line(
    name: str, jobs: Sequence[Job], times: dict[str, Times], workers: int, share: float, factor: float, write: float
) -> str:
    batches = batch_seconds(jobs, times)
    speeds = np.ones(workers)
    speeds[: round(share * workers)] = factor
    ideal = batches.sum() / (1 / speeds).sum()
    first, plain = (makespan(order, speeds, write) for order in (np.sort(batches)[::-1], batches))
    who = f"{share:.0%} at 1/{factor:g} of the speed" if share else "none"
    return f"| {name} | {who} | {spoken(ideal)} | {spoken(first)} | {ideal / first:.1%} | {spoken(plain)} |"


def batch_seconds(jobs: Sequence[Job], times: dict[str, Times]) -> np.ndarray:
    """Seconds of every batch of all jobs, in their order; each sample's with a measured ratio."""
    random, found = np.random.default_rng(0), []
    for job in jobs:
        own = times[named(job)]
        drawn = random.choice(own.ratios, size=(ROWS * -(-len(job.pairs) // BATCH), BATCH)).sum(axis=1)
        found.append(seconds(job, own) * drawn)
    return np.concatenate(found)


def makespan(batches: Iterable[float], slowness: np.ndarray, write: float) -> float:
    """When the last batch is written: each goes to the worker that is free first, and one writer takes turns."""
    free = [(0.0, worker) for worker in range(len(slowness))]
    done = []
    for batch in batches:
        start, worker = heapq.heappop(free)
        end = start + batch * slowness[worker]
        done.append(end)
        heapq.heappush(free, (end, worker))
    written = 0.0
    for end in sorted(done):
        written = max(written, end) + write
    return written


def seconds_of_a_write(cell: Cell) -> float:
    """Appending a batch to a journal, flushed to disk, on the disk of the temporary folder."""
    rows: list[SampleRow] = list(cell.samples[:BATCH])
    with tempfile.TemporaryDirectory() as folder:
        store, start = Store(Path(folder)), time.perf_counter()
        for _ in range(50):
            store.append(cell.spec, rows, {})
        return (time.perf_counter() - start) / 50


def spoken(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h" if hours < 100 else f"{hours / 24:,.0f} days"


if __name__ == "__main__":
    main()
