"""The benchmark as one call: plan, run what is missing, say what was done."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.base import Attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.crew import Crew
from robustiqa.benchmarks.plan import Direction, Request, Threat, plan
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.runner import Job, missing, run_job
from robustiqa.benchmarks.store import Store
from robustiqa.core.model import QualityModel
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.defenses import load_defense
from robustiqa.defenses.base import Defense
from robustiqa.models import load_model

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """Where the cells are, and which jobs failed with which error."""

    folder: Path
    failures: tuple[tuple[Job, Exception], ...]


def bench(
    models: Sequence[str | QualityModel],
    attacks: Sequence[str | Attack],
    dataset: str | PairDataset = "demo",
    defenses: Sequence[str | Defense | None] = (None,),
    *,
    eps: Sequence[float] = (8 / 255,),
    directions: Sequence[Direction] = ("up", "tomean"),
    threat: Threat = "adaptive",
    limit: int | None = None,
    crop: int | None = None,
    seed: int = 0,
    eot: int | None = None,
    out: str | Path = "runs/bench",
    batch_size: int = 8,
    threads: int = 1,
    limits: Limits | None = None,
    fail_fast: bool = False,
) -> Outcome:
    """Run models x defenses x attacks on a dataset; names or instances; the same cells as the command line.

    What ``out`` already holds is not computed again. Read the results with ``load_results(out)``.

    Args:
        eps: radii in [0, 1] units.
        limit: first so many pairs of the dataset; None for all.
        crop: side of the central window in pixels; None for whole images.
        eot: draws of a randomised model that an attack averages; None for what the model declares.
        threads: how many share a batch; above 1, models are called from several threads at once.
        limits: queries and seconds per sample after which a search stops and keeps its best.
        fail_fast: stop at the first cell that fails; otherwise it keeps its traceback and the others go on.

    Raises:
        InvalidInput: a name, parameter, image or folder that cannot be used.
    """
    request = Request(
        models=tuple(load_model(m) if isinstance(m, str) else m.frozen() for m in models),
        attacks=tuple(load_attack(a) if isinstance(a, str) else a for a in attacks),
        datasets=(load_dataset(dataset) if isinstance(dataset, str) else dataset,),
        defenses=tuple(load_defense(d) if isinstance(d, str) else d for d in defenses),
        eps=tuple(eps),
        directions=tuple(directions),
        threat=threat,
        limit=limit,
        crop=crop,
        seed=seed,
        eot=eot,
        limits=limits or Limits(),
    )
    return run(plan(request), Path(out), batch_size, threads=threads, fail_fast=fail_fast)


def run(
    jobs: Sequence[Job],
    folder: Path,
    batch_size: int = 8,
    device: torch.device | None = None,
    progress: Progress = lambda _label, _done, _total: None,
    threads: int = 1,
    *,
    fail_fast: bool = False,
) -> Outcome:
    """Run jobs one after another; one that raises keeps its traceback in its cell and harms no other.

    Args:
        progress: called with (what runs, samples done, samples to do) before each job and after each batch.
        fail_fast: run nothing more after the first job that raises.
    """
    store, device = Store(folder), device or torch.device("cpu")
    total, done = sum(len(missing(job, store)) for job in jobs), 0
    failures: list[tuple[Job, Exception]] = []

    with Crew(threads) as crew:
        for job in jobs:
            label = describe(job)

            def advance(count: int, label: str = label) -> None:
                nonlocal done
                done += count
                progress(label, done, total)

            progress(label, done, total)
            try:
                run_job(job, store, batch_size, device, crew.run, advance)
            except Exception as error:  # noqa: BLE001 (whatever a plug-in raises fails its own cells only)
                failures.append((job, error))
                store.fail(job.spec, "".join(traceback.format_exception(error)), environment(device))
                if fail_fast:
                    break
    return Outcome(folder, tuple(failures))


def describe(job: Job) -> str:
    """A job in a few words, for progress bars and messages."""
    spec = job.spec
    parts = [spec.model.name, spec.defense.label if spec.defense else "", spec.dataset.name]
    if spec.attack is not None:
        parts += [spec.attack.label, spec.direction]
    else:
        parts.append(spec.purpose)
    return " ".join(filter(None, parts))
