"""Back from a cell to a job: what its specification says, loaded again by name.

A results folder may be a stranger's, so by default only what is built in is loaded, by names that cannot run a file.
"""

import re
from pathlib import Path
from typing import Final, cast

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.calibration import calibration
from robustiqa.benchmarks.cell import CellSpec
from robustiqa.benchmarks.folder.sameness import differing, in_words, looks
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.plan import Direction, Request, calibration_jobs, clean_jobs, plan
from robustiqa.benchmarks.provenance import BUILT_IN
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.base import PairDataset
from robustiqa.defenses import load_defense
from robustiqa.models import load_model
from robustiqa.models.entry import RANDOM_FLAG
from robustiqa.models.weights import RANDOM

NAME: Final = re.compile(r"[\w+:=,./-]+")


def is_built_in(spec: CellSpec) -> bool:
    """Whether the names of a cell can be loaded without running code that the results folder chose."""
    parts = [part for part in (spec.attack, spec.defense) if part is not None]
    codes = [spec.model.code, *(part.code for part in parts)]
    names = [spec.model.name, *(part.label for part in parts), *([spec.calibrate.metric] if spec.calibrate else [])]
    return set(codes) == {BUILT_IN} and all(NAME.fullmatch(name) and ".py" not in name for name in names)


def request_of(spec: CellSpec, datasets: tuple[PairDataset, ...], weights: Path | None = None) -> Request:
    """What a cell asked for, on ``datasets``.

    Args:
        weights: file or folder of the model's weights, where they are not those of the usual places.

    Raises:
        InvalidInput: a name, value or weights that cannot be used here.
    """
    chosen = RANDOM if weights is None and RANDOM_FLAG in spec.model.flags else weights
    return Request(
        models=(load_model(spec.model.name, weights=chosen),),
        attacks=(load_attack(spec.attack.label),) if spec.attack is not None else (),
        datasets=datasets,
        defenses=(None if spec.defense is None else load_defense(spec.defense.label),),
        eps=(spec.eps,),
        directions=(cast(Direction, spec.direction),) if spec.attack is not None else (),
        threat="oblivious" if spec.threat == "oblivious" else "adaptive",
        crop=spec.crop,
        seed=spec.seed,
        eot=spec.eot,
        limits=Limits(spec.max_queries, spec.max_seconds),
        calibration=calibration(f"{spec.calibrate.metric}={spec.calibrate.target!r}") if spec.calibrate else None,
        haste=spec.haste,
    )


def job_of(spec: CellSpec, dataset: PairDataset | None, weights: Path | None = None) -> Job:
    """The job of a cell; ``dataset`` may be None for calibration scores alone.

    Raises:
        InvalidInput: it is of a transfer, or what is here is not what it was made of; says which.
    """
    if spec.source is not None:
        raise InvalidInput(f"{in_words(spec)}: scores of saved pictures; run robustiqa transfer again instead.")
    request = request_of(spec, () if dataset is None else (dataset,), weights)
    if spec.purpose == "calibration":
        jobs = calibration_jobs(request, spec.crop, spec.seed)
    else:
        jobs = plan(request) if spec.attack is not None else clean_jobs(request)
    for job in jobs:
        if job.spec.key == spec.key:
            return job
    alike = [job.spec for job in jobs if looks(job.spec) == looks(spec)]
    reason = differing(spec, alike[0]) if alike else "the dataset, model, defense or attack of these names"
    raise InvalidInput(f"{in_words(spec)} cannot be made again here; what differs: {reason}.")
