"""Limits of a search beside its own parameters: model calls per sample, and time."""

import time
from dataclasses import dataclass
from threading import Event
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput


@dataclass(frozen=True)
class Limits:
    """Where a search is stopped; None for nowhere.

    Attributes:
        max_queries: forward passes per sample.
        max_seconds: seconds per sample: a batch of N gets N times as many, and spends them together.
        stop: once it is set nobody wants the result any more, and the next call of the model raises ``Stopped``.
    """

    max_queries: int | None = None
    max_seconds: float | None = None
    stop: Event | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_queries", self.max_queries), ("max_seconds", self.max_seconds)):
            if value is not None and not value > 0:
                raise InvalidInput(f"{name} {value!r} must be above 0, or be left out.")


NO_LIMITS: Final = Limits()


class Exhausted(Exception):
    """No sample of the batch may be asked about any more; it ends a search from within and never leaves an attack."""


class Stopped(Exception):
    """Nobody wants the result of this search any more; it leaves the attack."""


class Meter:
    """What is left for each of ``count`` samples, and which of them asked for more (``cut`` [N])."""

    def __init__(self, limits: Limits, count: int) -> None:
        self._queries, self._stop = limits.max_queries, limits.stop
        seconds = limits.max_seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds * count
        self._spent = torch.zeros(count, dtype=torch.int64)
        self.cut = torch.zeros(count, dtype=torch.bool)

    def admit(self, index: Tensor, passes: int) -> Tensor:
        """Which rows [M] of a call may be computed, each for ``passes`` forward passes; they count as spent.

        Raises:
            Exhausted: time is up, or no sample has enough passes left.
            Stopped: somebody stopped the search.
        """
        if self._stop is not None and self._stop.is_set():
            raise Stopped
        wanted = index.cpu()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.cut[:] = True
            raise Exhausted
        if self._queries is None:
            return torch.ones(len(wanted), dtype=torch.bool)
        admitted = [self._admit(sample, passes, self._queries) for sample in wanted.tolist()]
        if bool((self._spent + passes > self._queries).all()) and not any(admitted):
            raise Exhausted
        return torch.tensor(admitted, dtype=torch.bool)

    def _admit(self, sample: int, passes: int, limit: int) -> bool:
        if self._spent[sample] + passes > limit:
            self.cut[sample] = True
            return False
        self._spent[sample] += passes
        return True
