"""Worker processes of this machine that share batches; the parent alone writes cells.

Batches are the same as in one process, so rows are too. When a worker dies, what was in hand is given out again, one
batch at a time: the one that loses its worker a second time fails its own job only. A batch of a job with a limit of
seconds that takes far longer is ended with its worker, and fails its own job only.
"""

import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cloudpickle
import torch
from loky import ProcessPoolExecutor

from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.calibration import HALVINGS
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.halving import halving
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.runner import Job, close, computed, judge_late, missing, provenance_of
from robustiqa.benchmarks.store import Store
from robustiqa.core.errors import CannotWrite, RobustIQAError
from robustiqa.datasets.base import Pair
from robustiqa.models.from_file import MODULE

CPU: Final = torch.device("cpu")
WAITING: Final = 2  # batches per worker that are given out at a time
LOOK: Final = 0.5  # seconds between looks at whether a batch hangs
GRACE: Final = 60.0  # seconds for what a batch does beside its searches, before it counts as hanging
SLACK: Final = 3.0  # times the limit: searches only look at the clock between their steps
Advance = Callable[[int], None]


class WorkerLost(RobustIQAError):
    """A worker process that died on a batch, twice."""


class Hung(RobustIQAError):
    """A batch that took far longer than its limit of seconds allows, and was ended."""


class WorkerError(RobustIQAError):
    """An error of a worker that cannot be sent as it is; the message names its type."""


@dataclass(frozen=True)
class _Task:
    """A batch of a job; ``mark`` is the file in which its worker notes its process when it begins."""

    job: int
    pairs: tuple[Pair, ...]
    mark: Path


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

    def submit(self, path: Path, task: _Task, size: int) -> "Future[list[SampleRow] | Exception]":
        if self._executor is None:
            one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            self._executor = ProcessPoolExecutor(self._size, initializer=_start, env=one)
        future: Future[list[SampleRow] | Exception] = self._executor.submit(
            _compute, str(path), task.pairs, size, str(task.mark)
        )
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
        self._lost: deque[_Task] = deque()  # that lost their worker: one of them may have killed it
        self._again: deque[_Task] = deque()  # whose worker we ended because of another batch
        self._hung: set[_Task] = set()
        self._given: dict[Future[list[SampleRow] | Exception], _Task] = {}
        self._retried: set[_Task] = set()
        self._provenance = {**environment(CPU), "threads": 1}

    def run(self, pool: _Pool, workers: int) -> None:
        while True:
            self._give(pool, workers)
            if not self._given:
                return
            done, _ = wait(self._given, timeout=self._patience(), return_when=FIRST_COMPLETED)
            self._end_hanging()
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                done, _ = wait(self._given)  # they all end with the pool
                pool.drop()
            ended = bool(self._hung & {self._given[future] for future in done})
            for future in done:
                self._take(future, self._given.pop(future), ended=ended)

    def _patience(self) -> float | None:
        """Seconds after which to look for batches that hang; None where none can."""
        return LOOK if any(self._jobs[task.job].patience is not None for task in self._given.values()) else None

    def _end_hanging(self) -> None:
        """Kill the workers of batches that are far beyond their limit; the pool breaks, and ``_take`` hears of it."""
        for future, task in self._given.items():
            limit = _longest(self._jobs[task.job], task)
            if limit is None or future.done() or task in self._hung:
                continue
            begun = _begun(task.mark)
            if begun is not None and time.time() - begun[1] > limit:
                self._hung.add(task)
                with suppress(ProcessLookupError):
                    os.kill(begun[0], getattr(signal, "SIGKILL", signal.SIGTERM))

    def _give(self, pool: _Pool, workers: int) -> None:
        """Fresh batches to all workers; lost ones alone, so that whoever kills a worker is known."""
        while len(self._given) < (1 if self._lost else WAITING * workers):
            if self._fail_fast and self._failed:
                return
            waiting = self._lost or self._again
            task = waiting.popleft() if waiting else next(self._fresh, None)
            if task is None:
                return
            if task.job in self._failed:
                self._finished(task.job)
                continue
            task.mark.unlink(missing_ok=True)
            self._given[pool.submit(self._path(task.job), task, self._size)] = task
            if task in self._retried:
                return

    def _take(self, future: "Future[list[SampleRow] | Exception]", task: _Task, *, ended: bool) -> None:
        """What became of a batch; ``ended`` says that its worker was killed by us if it was lost."""
        error = future.exception()
        lost = isinstance(error, BrokenProcessPool)
        if lost and task not in self._hung and (ended or task not in self._retried):
            (self._again if ended else self._lost).append(task)
            self._retried |= set() if ended else {task}
            return
        if lost and task in self._hung:
            message = f"hung on {task.pairs[0].id!r} and its batch: ended far beyond --max-seconds a sample"
            self._break(task.job, Hung(message))
        elif lost:
            message = f"a worker process died on {task.pairs[0].id!r} and its batch, twice (killed, or out of memory?)"
            self._break(task.job, WorkerLost(message))
        else:
            self._keep(task, future.result())
        self._finished(task.job)

    def _keep(self, task: _Task, result: list[SampleRow] | Exception) -> None:
        if isinstance(result, CannotWrite):
            raise result
        if isinstance(result, Exception):
            self._break(task.job, result)
            return
        job = self._jobs[task.job]
        self._store.append(job.spec, result, provenance_of(job, self._provenance))
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
            provenance = provenance_of(self._jobs[job], self._provenance)
            judge_late(self._jobs[job], self._store, provenance)
            close(self._jobs[job], self._store, provenance)
        except CannotWrite:
            raise
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
            for number, chunk in enumerate(chunks):
                yield _Task(index, chunk, self._folder / f"{index}-{number}.begun")

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


@lru_cache(maxsize=1)
def _images() -> Images:
    """Those of this process."""
    return Images()


def _compute(path: str, pairs: tuple[Pair, ...], size: int, mark: str) -> list[SampleRow] | Exception:
    """In a worker: the rows of a batch, or what was raised."""
    try:
        Path(mark).write_text(str(os.getpid()), encoding="ascii")
        job = _unpacked(path)
        ready = _images().batches(job.dataset, pairs, job.spec.crop, size, CPU)
        return [row for batch in ready for row in computed(job, batch, halving(run_batch))]
    except Exception as error:  # noqa: BLE001 (whatever a plug-in raises fails its own job only)
        return _sendable(error)


def _begun(mark: Path) -> tuple[int, float] | None:
    """The process that works on a batch, and when it began; None where it has not."""
    try:
        return int(mark.read_text(encoding="ascii")), mark.stat().st_mtime
    except (OSError, ValueError):  # not there yet, or not yet written
        return None


def _longest(job: Job, task: _Task) -> float | None:
    """Seconds after which a batch hangs; None where any time is fine."""
    if job.patience is None:
        return None
    attempts = 1 if job.calibration is None else HALVINGS
    return GRACE + SLACK * job.patience * len(task.pairs) * attempts


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
