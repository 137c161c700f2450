"""Worker processes of this machine that share batches; the parent alone writes cells.

Batches are the same as in one process, so rows are too. When a worker dies, what was in hand is given out again, one
batch at a time: the one that loses its worker a second time fails its own job only.
"""

import pickle
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cloudpickle
import torch
from loky import ProcessPoolExecutor

from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.runner import Job, batches, close, computed, judge_late, missing
from robustiqa.benchmarks.store import Store
from robustiqa.core.errors import RobustIQAError
from robustiqa.datasets.base import Pair
from robustiqa.models.from_file import MODULE

CPU: Final = torch.device("cpu")
WAITING: Final = 2  # batches per worker that are given out at a time
Advance = Callable[[int], None]


class WorkerLost(RobustIQAError):
    """A worker process that died on a batch, twice."""


class WorkerError(RobustIQAError):
    """An error of a worker that cannot be sent as it is; the message names its type."""


@dataclass(frozen=True)
class _Task:
    """A batch of a job."""

    job: int
    pairs: tuple[Pair, ...]


class _Pool:
    """Processes of one thread each; a broken pool is replaced by the next :meth:`submit`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def submit(self, path: Path, pairs: tuple[Pair, ...], size: int) -> "Future[list[SampleRow] | Exception]":
        if self._executor is None:
            one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            self._executor = ProcessPoolExecutor(self._size, initializer=_start, env=one)
        future: Future[list[SampleRow] | Exception] = self._executor.submit(_compute, str(path), pairs, size)
        return future

    def drop(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


class _Sharing:
    """One call of :func:`share`: what is given out, what is left of each job, and what must be given out again."""

    def __init__(
        self, jobs: Sequence[Job], store: Store, size: int, advance: Advance, folder: Path, *, fail_fast: bool
    ) -> None:
        self._jobs, self._store, self._size, self._folder = jobs, store, size, folder
        self._advance, self._fail_fast = advance, fail_fast
        self.failures: list[tuple[Job, Exception]] = []
        self._left: dict[int, int] = {}
        self._failed: set[int] = set()
        self._fresh = self._tasks()
        self._lost: deque[_Task] = deque()
        self._given: dict[Future[list[SampleRow] | Exception], _Task] = {}
        self._retried: set[_Task] = set()
        self._provenance = {**environment(CPU), "threads": 1}

    def run(self, pool: _Pool, workers: int) -> None:
        while True:
            self._give(pool, workers)
            if not self._given:
                return
            done, _ = wait(self._given, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                done, _ = wait(self._given)  # they all end with the pool
                pool.drop()
            for future in done:
                self._take(future, self._given.pop(future))

    def _give(self, pool: _Pool, workers: int) -> None:
        """Fresh batches to all workers; lost ones alone, so that whoever kills a worker is known."""
        while len(self._given) < (1 if self._lost else WAITING * workers):
            if self._fail_fast and self._failed:
                return
            task = self._lost.popleft() if self._lost else next(self._fresh, None)
            if task is None:
                return
            if task.job in self._failed:
                self._finished(task.job)
                continue
            self._given[pool.submit(self._path(task.job), task.pairs, self._size)] = task
            if task in self._retried:
                return

    def _take(self, future: "Future[list[SampleRow] | Exception]", task: _Task) -> None:
        error = future.exception()
        if isinstance(error, BrokenProcessPool) and task not in self._retried:
            self._retried.add(task)
            self._lost.append(task)
            return
        if isinstance(error, BrokenProcessPool):
            message = f"a worker process died on {task.pairs[0].id!r} and its batch, twice (killed, or out of memory?)"
            self._break(task.job, WorkerLost(message))
        else:
            self._keep(task, future.result())
        self._finished(task.job)

    def _keep(self, task: _Task, result: list[SampleRow] | Exception) -> None:
        if isinstance(result, Exception):
            self._break(task.job, result)
            return
        try:
            self._store.append(self._jobs[task.job].spec, result, self._provenance)
        except OSError as error:
            self._break(task.job, error)
        self._advance(len(result))

    def _break(self, job: int, error: Exception) -> None:
        if job not in self._failed:
            self._failed.add(job)
            self.failures.append((self._jobs[job], error))

    def _finished(self, job: int) -> None:
        """One batch less is left of a job; after its last one its cell is written."""
        self._left[job] -= 1
        if self._left[job]:
            return
        self._path(job).unlink(missing_ok=True)
        if job not in self._failed:
            self._close(job)

    def _close(self, job: int) -> None:
        try:
            judge_late(self._jobs[job], self._store, self._provenance)
            close(self._jobs[job], self._store, self._provenance)
        except Exception as error:  # noqa: BLE001 (as in one process: it fails its own cell only)
            self._break(job, error)

    def _tasks(self) -> Iterator[_Task]:
        """All batches, job by job; a job's file is written before its first batch and is gone after its last."""
        for index, job in enumerate(self._jobs):
            todo = missing(job, self._store)
            chunks = [todo[start : start + self._size] for start in range(0, len(todo), self._size)]
            self._left[index] = len(chunks)
            if not chunks:
                self._close(index)
                continue
            try:
                self._path(index).write_bytes(_packed(job))
            except Exception as error:  # noqa: BLE001 (whatever a plug-in cannot be packed with)
                self._break(index, WorkerError(f"it cannot be sent to worker processes: {error!r}; leave out --jobs."))
                continue
            yield from (_Task(index, chunk) for chunk in chunks)

    def _path(self, job: int) -> Path:
        return self._folder / f"{job}.pickle"


def share(
    jobs: Sequence[Job], store: Store, size: int, workers: int, advance: Advance, *, fail_fast: bool = False
) -> list[tuple[Job, Exception]]:
    """Run ``jobs`` in so many processes, in batches of ``size``; the jobs that failed, each once.

    Args:
        advance: hears of how many samples were done.
        fail_fast: give out nothing more after the first failure; otherwise the other jobs go on.
    """
    with tempfile.TemporaryDirectory(prefix="robustiqa-") as folder, _Pool(workers) as pool:
        sharing = _Sharing(jobs, store, size, advance, Path(folder), fail_fast=fail_fast)
        sharing.run(pool, workers)
    return sharing.failures


def _packed(job: Job) -> bytes:
    """A job with its models; classes of files that the user named travel with it."""
    for name, module in list(sys.modules.items()):
        if name.startswith(MODULE):
            cloudpickle.register_pickle_by_value(module)
    packed: bytes = cloudpickle.dumps(job)
    return packed


def _start() -> None:
    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def _unpacked(path: str) -> Job:
    job: Job = pickle.loads(Path(path).read_bytes())  # noqa: S301 (the parent wrote it, into a folder of its own)
    return job


def _compute(path: str, pairs: tuple[Pair, ...], size: int) -> list[SampleRow] | Exception:
    """In a worker: the rows of a batch, or what was raised."""
    try:
        job = _unpacked(path)
        ready = batches(job.dataset, pairs, job.spec.crop, size, CPU)
        return [row for batch in ready for row in computed(job, batch, run_batch)]
    except Exception as error:  # noqa: BLE001 (whatever a plug-in raises fails its own job only)
        return _sendable(error)


def _sendable(error: Exception) -> Exception:
    """The error with its traceback, which does not travel with it, in a note."""
    error.add_note(f"In a worker process:\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    except Exception:  # noqa: BLE001 (some errors cannot be made from their arguments)
        other = WorkerError(f"{type(error).__name__}: {error}")
        other.add_note(error.__notes__[-1])
        return other
    return error
