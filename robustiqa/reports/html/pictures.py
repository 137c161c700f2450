"""The pixels of an attacked sample: those that the run has kept, or computed again from the dataset.

Nothing of a results folder is run: only models, attacks and defenses that are built in, by names without files.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.again import is_built_in, request_of
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.pictures import Pictures as Saved
from robustiqa.benchmarks.plan import Direction, plan
from robustiqa.core.images import center_crop, to_rgb
from robustiqa.core.objective import Objective
from robustiqa.datasets.base import PairDataset
from robustiqa.reports.compose import View

Pixels = NDArray[np.uint8]
TOLERANCE: Final = 0.01  # of the gain: a batch of one may round otherwise than the batch of the run


@dataclass(frozen=True)
class Pictures:
    """Images [H, W, 3] of one sample, as they were scored."""

    reference: Pixels
    distorted: Pixels
    adversarial: Pixels


class Kept:
    """Reads what ``bench --save-images`` left in the folders of results."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._saved = [Saved(folder) for folder in folders]

    def __call__(self, row: SampleRow) -> Pictures | None:
        """The pictures of a row; None where they were not kept.

        Raises:
            RobustIQAError: one of them cannot be read, or is not the one that was saved.
        """
        saved = next((one for one in self._saved if one.holds(row.images)), None)
        if saved is None or row.images is None:
            return None
        names = row.images.reference, row.images.distorted, row.images.adversarial
        return Pictures(*(to_rgb(saved.read(name)) for name in names))


class Recomputed:
    """Attacks single samples again; a model is loaded once for all of its samples."""

    def __init__(self, datasets: Mapping[str, PairDataset]) -> None:
        """``datasets``: by the sha256 of their manifest, as cells name them."""
        self._datasets = datasets
        self._jobs: dict[tuple[str, ...], Job | str] = {}

    def __call__(self, view: View, row: SampleRow) -> Pictures | str:
        """The pictures of a row, or why there are none.

        Raises:
            RobustIQAError: weights are missing, an image cannot be read.
        """
        key = (*view.keys, view.direction)
        if key not in self._jobs:
            self._jobs[key] = self._job(view)
        job = self._jobs[key]
        return job if isinstance(job, str) else _attacked(job, row)

    def _job(self, view: View) -> Job | str:
        spec = view.spec
        dataset = self._datasets.get(spec.dataset.manifest)
        if dataset is None:
            return f"the images are not at hand; add --dataset {spec.dataset.name}=FOLDER to see them"
        if not is_built_in(spec):
            return "a plug-in took part, and reports run no code of others"
        if spec.calibrate is not None or spec.source is not None:
            return "calibrated and transferred attacks are not computed again; bench --save-images keeps their pictures"
        jobs = plan(replace(request_of(spec, (dataset,)), directions=(cast(Direction, view.direction),)))
        same = [job for job in jobs if job.spec.key in view.keys and job.spec.direction == view.direction]
        return same[0] if same else "version, weights or data here are not those of the run"


def _attacked(job: Job, row: SampleRow) -> Pictures | str:
    pair = next((pair for pair in job.pairs if pair.id == row.id), None)
    if pair is None or job.attack is None:
        return "the dataset has no such pair"
    ref, dist = (center_crop(image, job.spec.crop)[None] for image in job.dataset.images(pair))
    spec = job.spec
    objective = Objective(job.attacked, ref, spec.direction, job.evaluated, spec.eot, spec.haste)
    limits = Limits(job.spec.max_queries, job.spec.max_seconds)
    result = job.attack.run(objective, dist, eps=job.spec.eps, seed=job.spec.seed, ids=[row.id], limits=limits)
    if not _agrees(row, float(result.attacked_score)):
        return f"computed again, the score was {float(result.attacked_score):.4g}, which is not that of the run"
    return Pictures(to_rgb(ref[0]), to_rgb(dist[0]), to_rgb(result.adversarial_8bit[0]))


def _agrees(row: SampleRow, attacked: float) -> bool:
    if row.clean is None or row.attacked is None:
        return False
    return math.isclose(attacked, row.attacked, rel_tol=1e-5, abs_tol=TOLERANCE * abs(row.attacked - row.clean))
