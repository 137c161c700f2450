"""Throughput of models side by side: the median of interleaved runs, after one that is not counted."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from robustiqa.core.images import check_pair
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import Objective
from robustiqa.core.precision import EXACT, Haste

Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True)
class Speed:
    """Seconds of one model for one pair.

    Attributes:
        forward: from the two images to the score, the reference's features included.
        attack_step: score and gradient with respect to the distorted image, the reference prepared before; one draw of
            a randomised model.
        flags: of the model.
    """

    model: str
    forward: float
    attack_step: float
    flags: tuple[str, ...] = ()


def measure(
    models: Sequence[QualityModel],
    ref: Tensor,
    dist: Tensor,
    runs: int,
    progress: Progress = _silent,
    haste: Haste = EXACT,
) -> list[Speed]:
    """Medians over ``runs``; in each run every model takes its turn, so that a slow moment of the machine meets all.

    Args:
        ref, dist: one pair [1, 3, H, W] in [0, 1], on the device of the models.
        progress: called with (measurements done, to do): a model has two in each run, and two that are not counted.
        haste: of the attack steps; scores are without.

    Raises:
        InvalidInput: images smaller than a model's minimum.
    """
    for model in models:
        check_pair(ref, dist, model.info.min_size)
    tasks = [task for model in models for task in (_forward(model, ref, dist), _attack_step(model, ref, dist, haste))]
    turns = tasks * (1 + runs)
    seconds = []
    for done, task in enumerate(turns, start=1):
        seconds.append(_seconds(task, ref.device))
        progress(done, len(turns))
    warm = seconds[len(tasks) :]
    medians = [statistics.median(warm[i :: len(tasks)]) for i in range(len(tasks))]
    return [
        Speed(model.info.name, forward, step, model.info.flags)
        for model, forward, step in zip(models, medians[::2], medians[1::2], strict=True)
    ]


def synthetic_pair(width: int, height: int) -> tuple[Tensor, Tensor]:
    """A noise image and a slightly different one [1, 3, H, W]: the time of no model depends on what is seen."""
    generator = torch.Generator().manual_seed(0)
    ref = torch.rand(1, 3, height, width, generator=generator)
    return ref, (ref + 0.05 * torch.randn(ref.shape, generator=generator)).clamp(0, 1)


def _forward(model: QualityModel, ref: Tensor, dist: Tensor) -> Callable[[], object]:
    @torch.no_grad()
    def run() -> Tensor:
        return model.score(ref, dist)

    return run


def _attack_step(model: QualityModel, ref: Tensor, dist: Tensor, haste: Haste) -> Callable[[], object]:
    objective = Objective(model, ref, eot=1, haste=haste.on(model))
    index = torch.zeros(1, dtype=torch.int64, device=ref.device)
    return lambda: objective.value_and_grad(dist, index)


def _seconds(task: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    task()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
