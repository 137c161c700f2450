"""One cell as a job: whatever samples are missing, in batches, journaled as they come."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

import torch
from pydantic import JsonValue

from robustiqa.attacks.base import Attack
from robustiqa.benchmarks.calibration import Calibration
from robustiqa.benchmarks.cell import CellSpec, SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Batch, Images
from robustiqa.benchmarks.observer import NOTHING, Observer
from robustiqa.benchmarks.provenance import OF_A_CELL, distributions, environment
from robustiqa.benchmarks.rivals import with_rivals
from robustiqa.core.errors import CannotWrite
from robustiqa.core.model import QualityModel
from robustiqa.datasets.base import Pair, PairDataset

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """A cell with what is needed to run it; ``attacked`` is the model whose gradients are followed.

    ``calibration`` finds each sample's ε; ``observer`` is told of every adversarial. ``patience`` is how many seconds a
    sample may take before its batch counts as hanging; None for any time.
    """

    spec: CellSpec
    dataset: PairDataset
    pairs: tuple[Pair, ...]
    attacked: QualityModel
    evaluated: QualityModel
    attack: Attack | None
    calibration: Calibration | None = None
    observer: Observer = NOTHING
    patience: float | None = None


Compute = Callable[[Job, Batch], list[SampleRow]]


def missing(job: Job, store: Store) -> tuple[Pair, ...]:
    """The pairs of a job that the store has no row for, or none with all that the job's observer wants."""
    done = store.read(job.spec)
    return tuple(
        pair for pair in job.pairs if pair.id not in done or not job.observer.satisfied(done[pair.id], job.spec)
    )


def run_job(
    job: Job, store: Store, images: Images, batch_size: int, device: torch.device, compute: Compute, advance: Advance
) -> None:
    """Compute the missing samples of a job and write its cell; ``advance`` hears of every batch."""
    provenance = provenance_of(job, environment(device))
    todo = missing(job, store)
    judge_late(job, store, provenance)
    with closing(images.batches(job.dataset, todo, job.spec.crop, batch_size, device)) as ready:
        for batch in ready:
            rows = computed(job, batch, compute)
            if len(rows) == len(todo) and not store.is_open(job.spec):
                _finish_at_once(job, store, rows, provenance)
            else:
                store.append(job.spec, rows, provenance)
            advance(len(batch.pairs))
    close(job, store, provenance)


def _finish_at_once(job: Job, store: Store, rows: list[SampleRow], provenance: dict[str, JsonValue]) -> None:
    """Spare a cell of one batch the journal, whose flushes cost as much as many a small cell."""
    try:
        finish(job, store, rows, provenance)
    except CannotWrite:
        store.append(job.spec, rows, provenance)  # they took longer than a second try
        raise


def computed(job: Job, batch: Batch, compute: Compute) -> list[SampleRow]:
    """The rows of a batch with the size of its images, the digest of their files, and how people compared them."""
    made = zip(batch.pairs, compute(job, batch), strict=True)
    rows = [row.model_copy(update={"size": batch.size, "data": job.dataset.fingerprint(pair)}) for pair, row in made]
    return with_rivals(job.dataset, rows)


def judge_late(job: Job, store: Store, provenance: dict[str, JsonValue]) -> None:
    """Let the job's observer judge saved pictures of earlier rows."""
    rows = job.observer.late(store.read(job.spec).values(), job.spec)
    if rows:
        store.append(job.spec, rows, provenance)


def close(job: Job, store: Store, provenance: dict[str, JsonValue]) -> None:
    """Make the journal the cell's file, also where the run before was stopped after its last batch."""
    if store.is_open(job.spec):
        finish(job, store, (), provenance)


def finish(job: Job, store: Store, rows: Iterable[SampleRow], provenance: dict[str, JsonValue]) -> None:
    """Write the cell's file: the rows that the store has, and ``rows``, which replace those of the same samples."""
    every = (store.read(job.spec) | {row.id: row for row in rows}).values()
    store.finish(job.spec, every, {**provenance, OF_A_CELL: {**about(job), "cost": cost(every)}})


def provenance_of(job: Job, around: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Where a job's numbers come from; ``around`` is what all jobs of the run share."""
    return {**around, OF_A_CELL: about(job)}


def about(job: Job) -> dict[str, JsonValue]:
    """Files of weights with their sha256, distributions of plug-ins, and what model, defense and attack declare.

    The seed, the sha256 of data, states and code, and all resolved parameters are in the specification.
    """
    spec = job.spec
    parts = [part for part in (spec.defense, spec.attack) if part is not None]
    flags = {*spec.model.flags, *(flag for part in parts for flag in part.flags)}
    files = dict(sorted({*job.attacked.info.weights, *job.evaluated.info.weights}))
    return {"weights": {**files}, "plugins": distributions(spec), "flags": [*sorted(flags)]}


def cost(rows: Iterable[SampleRow]) -> dict[str, JsonValue]:
    """Sums over all rows: samples, passes of the searches, seconds of the threads that worked on them."""
    rows = list(rows)
    return {
        "samples": len(rows),
        "forwards": sum(row.forwards for row in rows),
        "backwards": sum(row.backwards for row in rows),
        "seconds": round(sum(row.seconds for row in rows), 3),
        "halved": sum(row.halved for row in rows),
    }
