"""What of a run is given out to workers, what came back, and what is left; whoever keeps it alone writes cells.

Batches are those of a run in one process, so rows are too, whoever computes them and in whatever order they come.
"""

import pickle
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from robustiqa.benchmarks.calibration import HALVINGS
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job, close, judge_late, missing, provenance_of
from robustiqa.core.errors import CannotWrite, RobustIQAError
from robustiqa.datasets.base import Pair

GRACE: Final = 60.0  # seconds for what a batch does beside its searches, before it counts as hanging
SLACK: Final = 3.0  # times the limit: searches only look at the clock between their steps
Advance = Callable[[int], None]


class WorkerLost(RobustIQAError):
    """A worker that died on a batch, again and again."""


class Hung(RobustIQAError):
    """A batch that took far longer than its limit of seconds allows, and was ended."""


class WorkerError(RobustIQAError):
    """An error of a worker that cannot be sent as it is; the message names its type."""


@dataclass(frozen=True)
class Task:
    """The ``number``-th batch of a job."""

    job: int
    number: int
    pairs: tuple[Pair, ...]


class Ledger:
    """The batches of ``jobs``, job by job.

    Args:
        size: pairs of a batch.
        open_job: makes a job ready for workers before its first batch; what it raises fails the job.
        close_job: hears that workers need a job no more.
        advance: hears of how many samples were done.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        store: Store,
        size: int,
        advance: Advance,
        open_job: Callable[[int], object],
        close_job: Callable[[int], object],
    ) -> None:
        self._jobs, self._store, self._size, self._advance = jobs, store, size, advance
        self._open_job, self._close_job = open_job, close_job
        self.failures: list[tuple[Job, Exception]] = []
        self.environment: Mapping[str, JsonValue] = {}
        self._left: dict[int, int] = {}
        self._failed: set[int] = set()
        self._fresh = self._tasks()

    def next(self) -> Task | None:
        """A batch that was not given out yet and whose job has not failed; None where there is none."""
        for task in self._fresh:
            if task.job not in self._failed:
                return task
            self.finished(task)
        return None

    def has_failed(self, task: Task) -> bool:
        return task.job in self._failed

    def longest(self, task: Task) -> float | None:
        """Seconds after which a batch hangs; None where any time is fine."""
        job = self._jobs[task.job]
        if job.patience is None:
            return None
        attempts = 1 if job.calibration is None else HALVINGS
        return GRACE + SLACK * job.patience * len(task.pairs) * attempts

    def keep(self, task: Task, result: list[SampleRow] | Exception) -> None:
        """Rows to the journal; an error fails the job.

        Raises:
            CannotWrite: the folder cannot be written into, by us or by the worker.
        """
        if isinstance(result, CannotWrite):
            raise result
        if isinstance(result, Exception):
            self.fail(task, result)
            return
        job = self._jobs[task.job]
        self._store.append(job.spec, result, provenance_of(job, self.environment))
        self._advance(len(result))
        self.finished(task)

    def fail(self, task: Task, error: Exception) -> None:
        """Give a batch up, and with it the rest of its job."""
        self._break(task.job, error)
        self.finished(task)

    def hung(self, task: Task) -> None:
        """Give up a batch that was ended for its time."""
        message = f"hung on {task.pairs[0].id!r} and its batch: ended far beyond --max-seconds a sample"
        self.fail(task, Hung(message))

    def lost(self, task: Task, who: str, times: str) -> None:
        """Give up a batch that took its worker with it, so many times."""
        message = f"{who} died on {task.pairs[0].id!r} and its batch, {times} (killed, or out of memory?)"
        self.fail(task, WorkerLost(message))

    def finished(self, task: Task) -> None:
        """One batch less is left of a job; after its last one its cell is written."""
        self._left[task.job] -= 1
        if self._left[task.job]:
            return
        self._close_job(task.job)
        if task.job not in self._failed:
            self._close(task.job)

    def _break(self, job: int, error: Exception) -> None:
        if job not in self._failed:
            self._failed.add(job)
            self.failures.append((self._jobs[job], error))

    def _close(self, job: int) -> None:
        try:
            provenance = provenance_of(self._jobs[job], self.environment)
            judge_late(self._jobs[job], self._store, provenance)
            close(self._jobs[job], self._store, provenance)
        except CannotWrite:
            raise
        except Exception as error:  # noqa: BLE001 (as in one process: it fails its own cell only)
            self._break(job, error)

    def _tasks(self) -> Iterator[Task]:
        for index, job in enumerate(self._jobs):
            todo = missing(job, self._store)
            chunks = [todo[start : start + self._size] for start in range(0, len(todo), self._size)]
            self._left[index] = len(chunks)
            if not chunks:
                self._close(index)
                continue
            try:
                self._open_job(index)
            except Exception as error:  # noqa: BLE001 (whatever a plug-in cannot be packed with)
                self._break(index, WorkerError(f"it cannot be sent to other processes: {error!r}; run it in one."))
                continue
            for number, chunk in enumerate(chunks):
                yield Task(index, number, chunk)


def sendable(error: Exception) -> Exception:
    """The error with its traceback, which does not travel with it, in a note."""
    error.add_note(f"In a worker process:\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    except Exception:  # noqa: BLE001 (some errors cannot be made from their arguments)
        other = WorkerError(f"{type(error).__name__}: {error}")
        other.add_note(error.__notes__[-1])
        return other
    return error
