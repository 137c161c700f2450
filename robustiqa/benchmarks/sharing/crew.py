"""Threads that share a batch. On images as small as these torch's own threads wait for each other most of the time."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event
from types import TracebackType
from typing import Self

import torch

from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.images import Batch
from robustiqa.benchmarks.job import Job


def default_threads(device: torch.device) -> int:
    """One thread a core, at most eight, on the CPU; one elsewhere, where the device itself works in parallel."""
    return min(8, os.cpu_count() or 1) if device.type == "cpu" else 1


class Crew:
    """``size`` threads, each with one core for torch; as a context manager. A crew of one leaves torch as it is.

    A batch stays the unit that is journaled; its rows do not depend on the size of the crew, since no sample's do on
    the others of its batch. Models are called from several threads at once: scores must follow from the arguments.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = Event()  # without it Ctrl-C would wait for the batch, which may take an hour
        self._torch_threads = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(size, initializer=torch.set_num_threads, initargs=(1,)) if size > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self._torch_threads)  # some of torch's libraries have one setting for all threads

    def run(self, job: Job, batch: Batch) -> list[SampleRow]:
        """Rows of a batch, in its order."""
        if self._pool is None:
            return run_batch(job, batch)
        parts = [self._pool.submit(run_batch, job, part, self._left) for part in batch.split(self.size)]
        wait(parts)  # where one raised, what the others hold would be in the way of a second try
        return [row for part in parts for row in part.result()]
