"""Datasets of random images in memory, and a model whose calls are timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from robustiqa.core.model import QualityModel
from robustiqa.datasets.base import Pair, PairDataset


@dataclass(frozen=True)
class Random(PairDataset):
    """Pairs of ``side`` x ``side`` pixels on the 8-bit grid, made when they are asked for."""

    side: int = 32

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(int(pair.id))
        ref = torch.randint(0, 256, (3, self.side, self.side), generator=generator).float() / 255
        noise = 0.1 * torch.rand(ref.shape, generator=generator)
        return ref, ((ref + noise).clamp(0, 1) * 255).round() / 255


def pairs(count: int, side: int) -> Random:
    """``count`` pairs of ten references."""
    listed = tuple(Pair(str(i), f"r{i % 10}", f"type-{i % 3}", 1 + (i % 40) / 10, i % 4) for i in range(count))
    return Random("random", listed, higher_better=True, human_score="none", labels="none", side=side)


@dataclass
class Timed:
    """Seconds spent in ``prepare`` and ``compare`` of a model, and in the backward passes of its scores."""

    clock: Callable[[], float] = time.perf_counter
    seconds: float = 0.0
    calls: int = 0
    _open: bool = field(default=False)

    def watch(self, model: QualityModel) -> None:
        """Time this model's calls from now on."""
        for name in ("prepare", "compare"):
            setattr(model, name, self.around(getattr(model, name)))

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, timed unless it is called within a timed one."""

        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if self._open:
                return function(*args, **kwargs)
            self._open, start = True, self.clock()
            try:
                return function(*args, **kwargs)
            finally:
                self._open = False
                self.seconds += self.clock() - start
                self.calls += 1

        return timed
