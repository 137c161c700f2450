"""Jobs run into a folder: by threads here, by processes, or by a cluster; what one job raises harms no other."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.job import Compute, Job, missing, provenance_of, run_job
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.sharing.cluster import Cluster
from robustiqa.benchmarks.sharing.crew import Crew
from robustiqa.benchmarks.sharing.halving import halving
from robustiqa.core.errors import CannotWrite, InvalidInput, raise_interrupt_behind

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """Where the cells are, and which jobs failed with which error."""

    folder: Path
    failures: tuple[tuple[Job, Exception], ...]


def silent(_label: str, _done: int, _total: int) -> None:
    """No progress is shown."""


def run(
    jobs: Sequence[Job],
    folder: Path,
    batch_size: int = 8,
    device: torch.device | None = None,
    progress: Progress = silent,
    threads: int = 1,
    workers: int = 1,
    compute: Compute | None = None,
    *,
    cluster: Cluster | None = None,
    fail_fast: bool = False,
) -> Outcome:
    """Run jobs; one that raises keeps its traceback in its cell and harms no other.

    Jobs whose samples have a limit of seconds run in processes, where that can be, so that one that hangs is ended.

    Args:
        progress: called with (what runs, samples done, samples to do) before each job and after each batch.
        threads: how many share a batch.
        workers: processes of one thread each that share batches; above 1, ``threads`` and ``device`` must be left.
        compute: makes the rows of a batch instead of the job's own attack; in this process and thread.
        cluster: whose workers share batches; then ``threads``, ``workers``, ``device`` and ``compute`` must be left.
        fail_fast: start nothing more after the first job that raises.

    Raises:
        InvalidInput: several workers with several threads, or on another device than the CPU; a cluster that cannot be
            used; or another process is computing one of the cells.
        CannotWrite: the folder cannot be written into.
    """
    store, device = Store(folder), device or torch.device("cpu")
    if workers > 1 and (threads > 1 or device.type != "cpu"):
        raise InvalidInput(f"{workers} jobs are processes of one CPU thread each; leave out threads and device.")
    if cluster is not None and (workers > 1 or threads > 1 or device.type != "cpu" or compute is not None):
        raise InvalidInput("workers of a cluster are described by what each needs; leave out threads, jobs and device.")
    todo = {job.spec.key: len(missing(job, store)) for job in jobs}
    busy = {job.spec.key: describe(job) for job in jobs if todo[job.spec.key] or store.is_open(job.spec)}
    count = _Count(progress, sum(todo.values()))
    ended = compute is None and device.type == "cpu" and any(job.patience is not None for job in jobs)
    with store.held(busy):
        if cluster is not None and busy:
            failures = _on_ray(jobs, store, batch_size, cluster, count, fail_fast=fail_fast)
        elif workers > 1 or (ended and busy):
            failures = _in_processes(jobs, store, batch_size, max(workers, threads), count, fail_fast=fail_fast)
        else:
            with Crew(threads) as crew:
                failures = _here(jobs, store, batch_size, device, compute or crew.run, count, fail_fast=fail_fast)
    return Outcome(folder, tuple(failures))


def _in_processes(
    jobs: Sequence[Job], store: Store, batch_size: int, workers: int, count: "_Count", *, fail_fast: bool
) -> list[tuple[Job, Exception]]:
    from robustiqa.benchmarks.sharing.workers import CPU, share  # noqa: PLC0415 (slow import, needed for several processes)

    count.start(f"{workers} processes" if workers > 1 else "1 process")
    failures = share(jobs, store, batch_size, workers, count.advance, fail_fast=fail_fast)
    _note_all(store, failures, CPU)
    return failures


def _on_ray(
    jobs: Sequence[Job], store: Store, batch_size: int, cluster: Cluster, count: "_Count", *, fail_fast: bool
) -> list[tuple[Job, Exception]]:
    from robustiqa.benchmarks.sharing.ray_connection import connected  # noqa: PLC0415 (needs an extra)

    count.start("waiting for workers")
    with connected(cluster.address):
        from robustiqa.benchmarks.sharing.ray_engine import share  # noqa: PLC0415 (only where Ray is known to be there)

        failures = share(jobs, store, batch_size, count.advance, count.start, cluster, fail_fast=fail_fast)
    _note_all(store, failures, torch.device("cpu"))
    return failures


def _here(
    jobs: Sequence[Job],
    store: Store,
    batch_size: int,
    device: torch.device,
    compute: Compute,
    count: "_Count",
    *,
    fail_fast: bool,
) -> list[tuple[Job, Exception]]:
    failures: list[tuple[Job, Exception]] = []
    images = Images()
    for job in jobs:
        count.start(describe(job))
        try:
            run_job(job, store, images, batch_size, device, halving(compute), count.advance)
        except CannotWrite:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a plug-in raises fails its own cells only)
            raise_interrupt_behind(error)
            failures.append((job, error))
            _note(store, job, error, device)
            if fail_fast:
                break
    return failures


def _note_all(store: Store, failures: Sequence[tuple[Job, Exception]], device: torch.device) -> None:
    """At the end only: later batches of the same job would have made its journal forget what failed."""
    for job, error in failures:
        _note(store, job, error, device)


def _note(store: Store, job: Job, error: Exception, device: torch.device) -> None:
    provenance = provenance_of(job, environment(device))
    store.fail(job.spec, "".join(traceback.format_exception(error)), provenance)


class _Count:
    """Samples done, for the progress bar."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done, self._label = progress, total, 0, ""

    def start(self, label: str) -> None:
        self._label = label
        self.advance(0)

    def advance(self, samples: int) -> None:
        self._done += samples
        self._progress(self._label, self._done, self._total)


def describe(job: Job) -> str:
    """A job in a few words, for progress bars and messages."""
    spec = job.spec
    parts = [spec.model.name, spec.defense.label if spec.defense else "", spec.dataset.name]
    if spec.attack is not None:
        parts += [spec.attack.label, spec.direction]
    else:
        parts.append(spec.purpose)
    return " ".join(filter(None, parts))
