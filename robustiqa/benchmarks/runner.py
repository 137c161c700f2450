"""Run cells: whatever samples are missing, in batches, journaled as they come."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from robustiqa.attacks.base import Attack, AttackResult
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.alone import differs, score_alone
from robustiqa.benchmarks.cell import CellSpec, SampleRow, Status
from robustiqa.benchmarks.perturbation import perturbations
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.store import Store
from robustiqa.core.draws import Reported, reported_scores, sample_seeds
from robustiqa.core.images import center_crop, check_pair
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import Objective
from robustiqa.core.prefetch import prefetched
from robustiqa.datasets.base import Pair, PairDataset

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """A cell with what is needed to run it; ``attacked`` is the model whose gradients are followed."""

    spec: CellSpec
    dataset: PairDataset
    pairs: tuple[Pair, ...]
    attacked: QualityModel
    evaluated: QualityModel
    attack: Attack | None


@dataclass(frozen=True)
class Batch:
    """Pairs of equal size, read and cropped: images [N, 3, H, W]."""

    pairs: tuple[Pair, ...]
    ref: Tensor
    dist: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.dist.shape[3], self.dist.shape[2]

    def split(self, count: int) -> list["Batch"]:
        """Up to ``count`` batches of about equal size."""
        size = -(-len(self.pairs) // count)
        starts = range(0, len(self.pairs), size)
        return [Batch(self.pairs[i : i + size], self.ref[i : i + size], self.dist[i : i + size]) for i in starts]


Compute = Callable[[Job, Batch], list[SampleRow]]


def missing(job: Job, store: Store) -> tuple[Pair, ...]:
    """The pairs of a job that the store has no row for."""
    done = store.read(job.spec)
    return tuple(pair for pair in job.pairs if pair.id not in done)


def run_job(
    job: Job, store: Store, batch_size: int, device: torch.device, compute: Compute, advance: Advance
) -> None:
    """Compute the missing samples of a job and write its cell; ``advance`` hears of every batch."""
    provenance = environment(device)
    todo = missing(job, store)
    with closing(batches(job.dataset, todo, job.spec.crop, batch_size, device)) as ready:
        for batch in ready:
            rows = [row.model_copy(update={"size": batch.size}) for row in compute(job, batch)]
            store.append(job.spec, rows, provenance)
            advance(len(batch.pairs))
    if store.is_open(job.spec):  # also where the run before was stopped after its last batch
        store.finish(job.spec, store.read(job.spec).values(), provenance)


def batches(
    dataset: PairDataset, pairs: Sequence[Pair], crop: int | None, size: int, device: torch.device
) -> Generator[Batch]:
    """Images in batches of up to ``size``; neighbours of equal shape share one. The next one is read meanwhile."""
    return prefetched(_batches(dataset, pairs, crop, size, device))


def _batches(
    dataset: PairDataset, pairs: Sequence[Pair], crop: int | None, size: int, device: torch.device
) -> Iterator[Batch]:
    loaded = (_load(dataset, pair, crop) for pair in pairs)
    for _, group in groupby(loaded, key=lambda item: item[1].shape):
        chunk: list[tuple[Pair, Tensor, Tensor]] = []
        for item in group:
            chunk.append(item)
            if len(chunk) == size:
                yield _stack(chunk, device)
                chunk = []
        if chunk:
            yield _stack(chunk, device)


def _load(dataset: PairDataset, pair: Pair, crop: int | None) -> tuple[Pair, Tensor, Tensor]:
    ref, dist = dataset.images(pair)
    return pair, center_crop(ref, crop), center_crop(dist, crop)


def _stack(chunk: Sequence[tuple[Pair, Tensor, Tensor]], device: torch.device) -> Batch:
    pairs, refs, dists = zip(*chunk, strict=True)
    return Batch(pairs, torch.stack(refs).to(device), torch.stack(dists).to(device))


def run_batch(job: Job, batch: Batch) -> list[SampleRow]:
    """Score, and where the job has an attack, attack one batch."""
    start = time.perf_counter()
    if job.attack is None:
        reported = _clean_scores(job, batch)
        seconds = (time.perf_counter() - start) / len(batch.pairs)
        rows = [_clean_row(job, pair, reported, i, seconds) for i, pair in enumerate(batch.pairs)]
        return rows if job.spec.purpose == "clean" else [_checked(job, batch, rows[0]), *rows[1:]]
    objective = Objective(job.attacked, batch.ref, job.spec.direction, score_with=job.evaluated, eot=job.spec.eot)
    ids = [pair.id for pair in batch.pairs]
    limits = Limits(job.spec.max_queries, job.spec.max_seconds)
    result = job.attack.run(objective, batch.dist, eps=job.spec.eps, seed=job.spec.seed, ids=ids, limits=limits)
    seconds = (time.perf_counter() - start) / len(batch.pairs)
    return _attacked_rows(job, batch, result, seconds)


def _clean_scores(job: Job, batch: Batch) -> Reported:
    check_pair(batch.ref, batch.dist, job.evaluated.info.min_size)
    seeds = sample_seeds(job.spec.seed, [pair.id for pair in batch.pairs])
    with torch.no_grad():
        return reported_scores(job.evaluated, job.evaluated.prepare(batch.ref), batch.dist, seeds)


def _checked(job: Job, batch: Batch, row: SampleRow) -> SampleRow:
    """The row of a batch's first sample, compared with its score alone."""
    if len(batch.pairs) == 1 or row.clean is None:
        return row
    seeds = sample_seeds(job.spec.seed, [row.id])
    alone = score_alone(job.evaluated, batch.ref[:1], batch.dist[:1], seeds)
    return row.model_copy(update={"batch_dependent": differs(row.clean, alone)})


def _clean_row(job: Job, pair: Pair, reported: Reported, i: int, seconds: float) -> SampleRow:
    score = float(reported.score[i])
    return SampleRow(
        id=pair.id,
        reference=pair.reference,
        distortion=pair.distortion,
        quality=_quality(job.dataset, pair),
        status=_status(score),
        clean=_finite(score),
        spread=_finite(float(reported.spread[i])),
        forwards=reported.draws,
        seconds=seconds,
    )


def _attacked_rows(job: Job, batch: Batch, result: AttackResult, seconds: float) -> list[SampleRow]:
    rows = []
    for i, (pair, change) in enumerate(
        zip(batch.pairs, perturbations(batch.dist, result.adversarial), strict=True)
    ):
        clean, attacked = float(result.clean_score[i]), float(result.attacked_score[i])
        rounded = float(result.attacked_score_8bit[i])
        rows.append(
            SampleRow(
                id=pair.id,
                reference=pair.reference,
                distortion=pair.distortion,
                quality=_quality(job.dataset, pair),
                status=_status(clean, attacked, rounded),
                clean=_finite(clean),
                attacked=_finite(attacked),
                attacked_8bit=_finite(rounded),
                spread=_finite(float(result.attacked_spread[i])),
                linf=change.linf,
                l2=change.l2,
                ssim=change.ssim,
                psnr=change.psnr,
                best_iteration=int(result.best_iteration[i]),
                forwards=int(result.cost.forwards[i]),
                backwards=int(result.cost.backwards[i]),
                dead_gradients=int(result.cost.dead[i]),
                saturated_gradients=int(result.cost.saturated[i]),
                seconds=seconds,
                curve=_curve(result, i),
                cut=bool(result.cut[i]),
            )
        )
    return rows


def _curve(result: AttackResult, i: int) -> tuple[tuple[float, float], ...]:
    points = [(point.at, float(point.score[i])) for point in result.curve]
    return tuple((at, score) for at, score in points if math.isfinite(score))


def _quality(dataset: PairDataset, pair: Pair) -> float:
    return pair.human if dataset.higher_better else -pair.human


def _status(*scores: float) -> Status:
    return "ok" if all(map(math.isfinite, scores)) else "non-finite"


def _finite(score: float) -> float | None:
    return score if math.isfinite(score) else None
