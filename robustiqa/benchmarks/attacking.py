"""One batch to rows: score it, and where the job has an attack, attack it."""

import math
import time
from threading import Event

import torch

from robustiqa.attacks.base import Attack, AttackResult
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.alone import differs, score_alone
from robustiqa.benchmarks.calibration import Trial, at_equal_visibility
from robustiqa.benchmarks.cell import SampleRow, Status
from robustiqa.benchmarks.images import Batch
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.perturbation import perturbations
from robustiqa.core.draws import Reported, reported_scores, sample_seeds
from robustiqa.core.images import check_pair
from robustiqa.core.objective import Objective
from robustiqa.datasets.base import Pair, PairDataset


def run_batch(job: Job, batch: Batch, stop: Event | None = None) -> list[SampleRow]:
    """Score, and where the job has an attack, attack one batch; rows in its order.

    Raises:
        Stopped: ``stop`` was set while an attack searched.
    """
    attack, wanted = job.attack, job.calibration
    if attack is None:
        return _clean_rows(job, batch)
    if wanted is None:
        trials = _attacked(job, attack, batch, job.spec.eps, stop)
    else:
        trials = at_equal_visibility(
            wanted, batch.dist, job.spec.eps, lambda index, eps: _attacked(job, attack, batch.select(index), eps, stop)
        )
    adversarial = torch.stack([trial.adversarial for trial in trials])
    return job.observer.note([trial.row for trial in trials], job.spec, batch.ref, batch.dist, adversarial)


def _clean_rows(job: Job, batch: Batch) -> list[SampleRow]:
    start = time.perf_counter()
    reported = _clean_scores(job, batch)
    seconds = (time.perf_counter() - start) / len(batch.pairs)
    rows = [_clean_row(job, pair, reported, i, seconds) for i, pair in enumerate(batch.pairs)]
    return rows if job.spec.purpose == "clean" else [_checked(job, batch, rows[0]), *rows[1:]]


def _attacked(job: Job, attack: Attack, batch: Batch, eps: float, stop: Event | None) -> list[Trial]:
    """Every sample attacked at one ε."""
    start = time.perf_counter()
    spec = job.spec
    objective = Objective(job.attacked, batch.ref, spec.direction, job.evaluated, spec.eot, spec.haste)
    ids = [pair.id for pair in batch.pairs]
    limits = Limits(job.spec.max_queries, job.spec.max_seconds, stop)
    result = attack.run(objective, batch.dist, eps=eps, seed=job.spec.seed, ids=ids, limits=limits)
    seconds = (time.perf_counter() - start) / len(batch.pairs)
    rows = _attacked_rows(job, batch, result, seconds)
    images = zip(result.adversarial, result.adversarial_8bit, strict=True)
    return [Trial(row, exact, rounded) for row, (exact, rounded) in zip(rows, images, strict=True)]


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
