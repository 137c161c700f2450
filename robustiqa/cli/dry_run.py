"""``robustiqa bench --dry-run``: the cells, their model calls, time and memory, before anything runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import torch

from robustiqa.benchmarks.estimate import Estimate, Estimator, total
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.running import describe
from robustiqa.benchmarks.sharing.crew import Crew
from robustiqa.cli.progress import bar
from robustiqa.reports.render import budget_text


def announce(
    jobs: Sequence[Job], store: Store, batch_size: int, device: torch.device, threads: int, workers: int
) -> None:
    """Print a line for each cell and the sums; what the store holds already is subtracted."""
    with _as_in_a_worker(workers):
        estimates = _measured(jobs, store, batch_size if device.type != "cpu" else threads, device, threads)
    for one in estimates:
        click.echo(_line(one))
    for problem in dict.fromkeys(one.problem for one in estimates if one.problem):
        click.echo(f"robustiqa: cannot be measured, so it will probably fail: {problem}", err=True)
    whole = total(estimates, batch_size, workers)
    shared = f"{workers} processes" if workers > 1 else f"{threads} thread{'s' if threads > 1 else ''}"
    memory = "unknown" if whole.bytes is None else f"{whole.bytes / 2**30:.1f} GB"
    click.echo(
        f"\n{len(jobs)} cells, {whole.samples} pairs to do: "
        f"{_passes(whole.forwards, whole.backwards)}.\n"
        f"About {_time(whole.seconds)} with {shared}, and {memory} of memory (measured here, now; searches may stop "
        "earlier)."
    )


@contextmanager
def _as_in_a_worker(workers: int) -> Iterator[None]:
    """Measure with one thread where the run's processes have one each."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if workers > 1 else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _measured(
    jobs: Sequence[Job], store: Store, size: int, device: torch.device, threads: int
) -> list[Estimate]:
    with bar() as progress, Crew(threads) as crew:
        estimator = Estimator(store, crew.run, size, device)
        return [estimator.estimate(job) for job in progress.track(jobs, description="measuring")]


def _line(one: Estimate) -> str:
    job = one.job
    what = describe(job) if job.attack is None else f"{describe(job)} {budget_text(job.spec)}"
    begun = f"{one.samples:6d} of {len(job.pairs):6d} pairs to do: {what}"
    return f"{begun}: {_passes(one.forwards, one.backwards)}, {_time(one.seconds)}" if one.samples else begun


def _passes(forwards: int | None, backwards: int | None) -> str:
    if forwards is None or backwards is None:
        return "an unknown number of passes"
    return f"{forwards:,} forward and {backwards:,} backward passes"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    if seconds < 90:
        return f"{seconds:.2g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
