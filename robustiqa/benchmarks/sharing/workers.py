"""Worker processes of this machine that share batches; the parent alone writes cells.

When a worker dies, what was in hand is given out again, one batch at a time: the one that loses its worker a second
time fails its own job only. A batch of a job with a limit of seconds that takes far longer is ended with its worker,
and fails its own job only.
"""

import os
import pickle
import signal
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import torch
from loky import ProcessPoolExecutor

from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.job import Job, computed
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.sharing.halving import halving
from robustiqa.benchmarks.sharing.ledger import Advance, Ledger, Task, sendable
from robustiqa.benchmarks.sharing.packing import packed
from robustiqa.datasets.base import Pair

CPU: Final = torch.device("cpu")
WAITING: Final = 2  # batches per worker that are given out at a time
LOOK: Final = 0.5  # seconds between looks at whether a batch hangs


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

    def submit(
        self, path: Path, pairs: tuple[Pair, ...], size: int, mark: Path
    ) -> "Future[list[SampleRow] | Exception]":
        if self._executor is None:
            one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            self._executor = ProcessPoolExecutor(self._size, initializer=_start, env=one)
        future: Future[list[SampleRow] | Exception] = self._executor.submit(
            _compute, str(path), pairs, size, str(mark)
        )
        return future

    def drop(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


class _Sharing:
    """One call of :func:`share`: what is in hand, and what must be given out again."""

    def __init__(
        self, jobs: Sequence[Job], store: Store, size: int, advance: Advance, folder: Path, *, fail_fast: bool
    ) -> None:
        self._jobs, self._size, self._folder, self._fail_fast = jobs, size, folder, fail_fast
        self.ledger = Ledger(jobs, store, size, advance, self._open, self._close)
        self.ledger.environment = {**environment(CPU), "threads": 1}
        self._lost: deque[Task] = deque()  # that lost their worker: one of them may have killed it
        self._again: deque[Task] = deque()  # whose worker we ended because of another batch
        self._hung: set[Task] = set()
        self._given: dict[Future[list[SampleRow] | Exception], Task] = {}
        self._retried: set[Task] = set()

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
        return LOOK if any(self.ledger.longest(task) is not None for task in self._given.values()) else None

    def _end_hanging(self) -> None:
        """Kill the workers of batches that are far beyond their limit; the pool breaks, and ``_take`` hears of it."""
        for future, task in self._given.items():
            limit = self.ledger.longest(task)
            if limit is None or future.done() or task in self._hung:
                continue
            begun = _begun(self._mark(task))
            if begun is not None and time.time() - begun[1] > limit:
                self._hung.add(task)
                with suppress(ProcessLookupError):
                    os.kill(begun[0], getattr(signal, "SIGKILL", signal.SIGTERM))

    def _give(self, pool: _Pool, workers: int) -> None:
        """Fresh batches to all workers; lost ones alone, so that whoever kills a worker is known."""
        while len(self._given) < (1 if self._lost else WAITING * workers):
            if self._fail_fast and self.ledger.failures:
                return
            waiting = self._lost or self._again
            task = waiting.popleft() if waiting else self.ledger.next()
            if task is None:
                return
            if self.ledger.has_failed(task):
                self.ledger.finished(task)
                continue
            mark = self._mark(task)
            mark.unlink(missing_ok=True)
            self._given[pool.submit(self._path(task.job), task.pairs, self._size, mark)] = task
            if task in self._retried:
                return

    def _take(self, future: "Future[list[SampleRow] | Exception]", task: Task, *, ended: bool) -> None:
        """What became of a batch; ``ended`` says that its worker was killed by us if it was lost."""
        error = future.exception()
        lost = isinstance(error, BrokenProcessPool)
        if lost and task not in self._hung and (ended or task not in self._retried):
            (self._again if ended else self._lost).append(task)
            self._retried |= set() if ended else {task}
        elif lost and task in self._hung:
            self.ledger.hung(task)
        elif lost:
            self.ledger.lost(task, "a worker process", "twice")
        else:
            self.ledger.keep(task, future.result())

    def _open(self, job: int) -> None:
        self._path(job).write_bytes(packed(self._jobs[job]))

    def _close(self, job: int) -> None:
        self._path(job).unlink(missing_ok=True)

    def _path(self, job: int) -> Path:
        return self._folder / f"{job}.pickle"

    def _mark(self, task: Task) -> Path:
        """The file in which a worker notes its process when it begins."""
        return self._folder / f"{task.job}-{task.number}.begun"


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
    return sharing.ledger.failures


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
        return sendable(error)


def _begun(mark: Path) -> tuple[int, float] | None:
    """The process that works on a batch, and when it began; None where it has not."""
    try:
        return int(mark.read_text(encoding="ascii")), mark.stat().st_mtime
    except (OSError, ValueError):  # not there yet, or not yet written
        return None
