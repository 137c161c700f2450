"""What a bench will cost: passes as attacks declare them, time and memory from a short pass of each model."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from robustiqa.attacks.base import Attack
from robustiqa.attacks.bim import BIM
from robustiqa.attacks.square import Square
from robustiqa.benchmarks.calibration import HALVINGS
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Batch, Images
from robustiqa.benchmarks.job import Job, missing
from robustiqa.core.draws import REPORTED_DRAWS
from robustiqa.core.model import ExposesFeatures
from robustiqa.core.objective import Objective

Compute = Callable[[Job, Batch], list[SampleRow]]
FEW, MORE = 1, 3  # calls of a measured search; their difference leaves out what a batch costs once


@dataclass(frozen=True)
class Pace:
    """Measured seconds per sample: once, for each value and each gradient of one draw; bytes that a gradient keeps."""

    once: float
    value: float = 0.0
    gradient: float = 0.0
    kept: int = 0


@dataclass(frozen=True)
class Estimate:
    """Of one job: samples to do, passes through the attacked model, and time.

    Attributes:
        forwards, backwards: of the searches (without an attack, of the scoring), at most; None where an attack of the
            caller's own does not say.
        seconds: of one process; None where that is not known.
        problem: why the model could not be measured, if it could not.
    """

    job: Job
    samples: int
    forwards: int | None
    backwards: int | None
    seconds: float | None
    kept: int = 0
    problem: str = ""


class Estimator:
    """Estimates job after job; a model is measured once for each size of image.

    Args:
        compute: what runs batches, as in the run itself.
        size: samples that are measured together.
    """

    def __init__(self, store: Store, compute: Compute, size: int, device: torch.device) -> None:
        self._store, self._compute, self._size, self._device = store, compute, size, device
        self._paces: dict[tuple[object, ...], Pace | str] = {}

    def estimate(self, job: Job) -> Estimate:
        """What is left to do of a job; what the store has is not counted."""
        todo = missing(job, self._store)
        if not todo:
            return Estimate(job, 0, 0, 0, 0.0)
        passes, pace = passes_per_sample(job), self._pace(job)
        forwards, backwards = (None, None) if passes is None else (len(todo) * count for count in passes)
        if isinstance(pace, str):
            return Estimate(job, len(todo), forwards, backwards, None, problem=pace)
        seconds = _seconds_per_sample(job, pace)
        whole = None if seconds is None else len(todo) * seconds
        return Estimate(job, len(todo), forwards, backwards, whole, pace.kept)

    def _pace(self, job: Job) -> Pace | str:
        size = job.spec.crop or job.spec.dataset.manifest  # whole images are as large as their dataset's
        key = (id(job.attacked), id(job.evaluated), job.attack is not None, size, job.spec.haste)
        if key not in self._paces:
            self._paces[key] = self._measured(job)
        return self._paces[key]

    def _measured(self, job: Job) -> Pace | str:
        pairs = job.pairs[: self._size]
        try:
            with closing(Images().batches(job.dataset, pairs, job.spec.crop, self._size, self._device)) as ready:
                return self._pace_of(job, next(ready))
        except Exception as error:  # noqa: BLE001 (whatever a plug-in raises; its job will fail alone)
            return f"{type(error).__name__}: {error}"

    def _pace_of(self, job: Job, batch: Batch) -> Pace:
        if job.attack is None:
            self._seconds(job, batch)
            return Pace(self._seconds(job, batch))
        self._seconds(_searching(job, BIM(steps=FEW)), batch)  # warm: first calls allocate and choose kernels
        few, more = (self._seconds(_searching(job, BIM(steps=steps)), batch) for steps in (FEW, MORE))
        asked, again = (self._seconds(_searching(job, Square(queries=count)), batch) for count in (FEW, MORE))
        gradient, value = (max(0.0, after - before) / (MORE - FEW) for before, after in ((few, more), (asked, again)))
        return Pace(max(0.0, few - FEW * gradient), value, gradient, kept_by_a_gradient(job, batch))

    def _seconds(self, job: Job, batch: Batch) -> float:
        start = time.perf_counter()
        self._compute(job, batch)
        return (time.perf_counter() - start) / len(batch.pairs)


def _searching(job: Job, attack: Attack) -> Job:
    """The job with a short search, which leaves nothing behind."""
    spec = job.spec.model_copy(update={"max_queries": None, "max_seconds": None, "eot": 1})
    return replace(job, spec=spec, attack=attack, calibration=None, observer=replace(job.observer, keep=False))


def passes_per_sample(job: Job) -> tuple[int, int] | None:
    """Forward and backward passes of a job's search, or forward ones of its scoring, at most; None if undeclared."""
    if job.attack is None:
        return (REPORTED_DRAWS if job.spec.randomised else 1), 0
    calls, draws = job.attack.calls, job.spec.eot
    if calls is None:
        return None
    features = calls.features if isinstance(job.attacked, ExposesFeatures) else 0
    forwards = draws * (calls.values + calls.gradients + features) + features
    backwards = draws * calls.gradients + features
    attempts = 1 if job.calibration is None else HALVINGS
    limit = job.spec.max_queries
    if limit is not None and forwards > limit:
        forwards, backwards = limit, min(backwards, limit)
    return attempts * forwards, attempts * backwards


def _seconds_per_sample(job: Job, pace: Pace) -> float | None:
    if job.attack is None:
        return pace.once
    passes = passes_per_sample(job)
    if passes is None:
        return None
    forwards, backwards = passes
    search = backwards * pace.gradient + max(0, forwards - backwards) * pace.value
    attempts = 1 if job.calibration is None else HALVINGS
    limit = job.spec.max_seconds
    return attempts * pace.once + (search if limit is None else min(search, attempts * limit))


def kept_by_a_gradient(job: Job, batch: Batch) -> int:
    """Bytes of what one sample's forward pass keeps for its backward pass, without the model's own tensors."""
    own = {t.untyped_storage().data_ptr() for t in (*job.attacked.parameters(), *job.attacked.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    objective = Objective(job.attacked, batch.ref[:1], "up", eot=1)
    index = torch.zeros(1, dtype=torch.int64, device=batch.dist.device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        objective.value_and_grad(batch.dist[:1], index)
    return sum(size for pointer, size in kept.items() if pointer not in own)


def peak_memory() -> int | None:
    """Bytes that this process has held at most; None where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 (not everywhere)
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1024 * used


@dataclass(frozen=True)
class Total:
    """Of all jobs; None where an attack or model does not let it be told."""

    samples: int
    forwards: int | None
    backwards: int | None
    seconds: float | None
    bytes: int | None


def total(estimates: Sequence[Estimate], batch_size: int, workers: int) -> Total:
    """Time is shared by ``workers`` processes; memory is each one's: what this one holds, and a batch's gradient."""
    left = [one for one in estimates if one.samples]
    held = peak_memory()
    kept = max((one.kept for one in left), default=0)
    seconds = _sum(one.seconds for one in left)
    return Total(
        samples=sum(one.samples for one in left),
        forwards=_whole(_sum(one.forwards for one in left)),
        backwards=_whole(_sum(one.backwards for one in left)),
        seconds=None if seconds is None else seconds / workers,
        bytes=None if held is None else workers * (held + batch_size * kept),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None where one is not known."""
    result = 0.0
    for value in values:
        if value is None:
            return None
        result += value
    return result


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
