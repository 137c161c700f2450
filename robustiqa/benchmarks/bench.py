"""The benchmark as one call: plan, run what is missing, say what was done."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.base import Attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.calibration import calibration
from robustiqa.benchmarks.folder.resuming import check_resumable, drop_failed
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.observer import Observer, named_judges, usual_judges
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.plan import Direction, Request, Threat, plan
from robustiqa.benchmarks.requests import radii
from robustiqa.benchmarks.running import Outcome, Progress, run, silent
from robustiqa.benchmarks.shards import Shard, claim, parse_shard, plan_digest, shard_jobs
from robustiqa.benchmarks.sharing.cluster import Cluster
from robustiqa.benchmarks.suite import NONE
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import parse_eps, split_path
from robustiqa.core.precision import Haste, Precision
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.defenses import load_defense
from robustiqa.defenses.base import Defense
from robustiqa.models import load_model


def bench(
    models: Sequence[str | QualityModel], attacks: Sequence[str | Attack] = (), dataset: str | PairDataset = "demo",
    defenses: Sequence[str | Defense | None] = (None,), *, eps: Sequence[float | str] = (),
    directions: Sequence[Direction] = ("up", "tomean"), threat: Threat = "adaptive", limit: int | None = None,
    crop: int | None = None, seed: int = 0, eot: int | None = None, out: str | Path = "runs/bench", batch_size: int = 8,
    threads: int = 1, jobs: int = 1, limits: Limits | None = None, fail_fast: bool = False,
    calibrate: str | None = None, judges: Sequence[str] | None = None, save_images: bool = False,
    precision: Precision = "fp32", compiled: bool = False, shard: str | None = None, cluster: Cluster | None = None,
    progress: Progress = silent,
) -> Outcome:  # fmt: skip
    """Run models x defenses x attacks on a dataset; names or instances; the same cells as the command line.

    What ``out`` holds is not computed again; ``load_results(out)`` reads it. Without attacks: clean scores alone.

    Args:
        dataset: an instance, or ``"name"`` or ``"name=folder"``.
        eps: radii in [0, 1], as numbers or as ``"8/255"``; by default 8/255, with ``calibrate`` up to 64/255.
        limit, crop: first so many pairs; side of the central window in pixels; None for all, and whole images.
        eot: draws of a randomised model that an attack averages; None for what the model declares.
        threads: how many share a batch; above 1, models are called from several threads at once.
        jobs: processes of one thread each that share batches, instead of threads.
        limits: queries and seconds per sample after which a search stops and keeps its best; one that hangs is ended.
        fail_fast: stop at the first cell that fails; otherwise it keeps its traceback and the others go on.
        calibrate: such as ``"ssim=0.95"``: equal visibility in place of equal ε.
        judges: metrics that compare adversarials with un-attacked images; None: DISTS, FSIM, SSIM where weights are.
        save_images: whether 8-bit pictures are kept in ``out``.
        precision, compiled: of searches, ``"fp32"`` or ``"bf16"``; by ``torch.compile``. Scores are fp32 all the same.
        shard: such as ``"2/8"``: only the second of eight parts of the cells, for ``robustiqa merge``.
        cluster: a Ray cluster whose workers share batches, instead of threads or processes; needs the extra ``ray``.
        progress: called with (what runs, samples done, samples to do).

    Raises:
        InvalidInput: what cannot be used, or ``out`` holds the same names made with other data, weights or code.
        CannotWrite: ``out`` cannot be written into.
    """
    wanted = None if calibrate is None else calibration(calibrate)
    haste = Haste(precision, compiled)
    haste.check(torch.device("cpu"))
    request = Request(
        models=tuple(load_model(m) if isinstance(m, str) else m.frozen() for m in models),
        attacks=tuple(load_attack(a) if isinstance(a, str) else a for a in attacks),
        datasets=(load_dataset(*split_path(dataset)) if isinstance(dataset, str) else dataset,),
        defenses=tuple(_defense(d) if isinstance(d, str) else d for d in defenses),
        eps=radii([parse_eps(e) if isinstance(e, str) else e for e in eps], wanted is not None),
        directions=tuple(directions),
        threat=threat,
        limit=limit,
        crop=crop,
        seed=seed,
        eot=eot,
        limits=limits or Limits(),
        calibration=wanted,
        haste=haste,
    )
    folder = Path(out)
    planned = observed(plan(request), folder, judges, keep=save_images)
    mine = prepared(planned, folder, batch_size, None if shard is None else parse_shard(shard), progress)
    return run(
        mine, folder, batch_size, progress=progress, threads=threads, workers=jobs, cluster=cluster, fail_fast=fail_fast
    )


def prepared(
    jobs: Sequence[Job], folder: Path, batch_size: int, shard: Shard | None, progress: Progress = silent
) -> list[Job]:
    """The jobs that are to be run into ``folder``: all, or those of a shard, which the folder then is for.

    Raises:
        InvalidInput: the folder holds other things under their names, or another shard.
    """
    store = Store(folder)
    check_resumable(jobs, store, progress)
    drop_failed(jobs, store)
    if shard is None:
        return list(jobs)
    claim(folder, shard, plan_digest(jobs, batch_size))
    return shard_jobs(jobs, shard, batch_size)


def observed(
    jobs: Sequence[Job], folder: Path, judges: Sequence[str] | None = None, *, keep: bool = False
) -> list[Job]:
    """The jobs with their adversarials judged and, for ``keep``, saved below ``folder``.

    Args:
        judges: names of metrics; None for the usual ones as far as weights are at hand.

    Raises:
        InvalidInput: a judge that cannot be used.
    """
    chosen = usual_judges() if judges is None else named_judges(judges)
    observer = Observer(chosen, insist=judges is not None, pictures=Pictures(folder), keep=keep)
    return [replace(job, observer=observer) for job in jobs]


def _defense(text: str) -> Defense | None:
    return None if text == NONE else load_defense(text)
