"""Saved adversarials of one model, scored by another: an attacker who can only guess which metric will judge."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from robustiqa.benchmarks.cell import Cell, CellSpec, SampleRow, SavedImages, SourceRecord
from robustiqa.benchmarks.images import Batch
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.perturbation import Perturbation, perturbations
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.plan import Subject
from robustiqa.benchmarks.provenance import package_version
from robustiqa.core.draws import reported_scores, sample_seeds
from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import check_pair
from robustiqa.datasets.base import Pair, PairDataset


@dataclass(frozen=True)
class SavedPairs(PairDataset):
    """Pairs whose pictures were saved with the cell of an attack; ``rows`` are that cell's, by id."""

    pictures: Pictures
    rows: Mapping[str, SampleRow]

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        saved = self._saved(pair.id)
        return self.pictures.read(saved.reference), self.pictures.read(saved.distorted)

    def adversarial(self, pair: Pair) -> Tensor:
        """The attacked picture [3, H, W] in [0, 1], on 8 bits."""
        return self.pictures.read(self._saved(pair.id).adversarial)

    def _saved(self, name: str) -> SavedImages:
        saved = self.rows[name].images
        if saved is None:
            raise InvalidInput(f"{name} has no saved pictures.")
        return saved


def sources(cells: Iterable[Cell], pictures: Pictures) -> list[Cell]:
    """Cells of attacks of which every picture is there.

    Raises:
        InvalidInput: there is none.
    """
    attacks = [cell for cell in cells if cell.spec.purpose == "attack" and cell.spec.source is None]
    saved = [cell for cell in attacks if all(pictures.holds(row.images) for row in cell.samples)]
    if not saved:
        raise InvalidInput(
            f"{pictures.folder.parent}: none of {len(attacks)} attack cells has its pictures saved; "
            "run the same bench with --save-images."
        )
    return saved


def transfer_jobs(cells: Sequence[Cell], targets: Sequence[Subject], pictures: Pictures) -> list[Job]:
    """One job for each attack cell and each target that is not what was attacked."""
    return [
        _job(cell, target, pictures)
        for target in targets
        for cell in cells
        if (cell.spec.model, cell.spec.defense) != (target.model_record, target.defense_on(cell.spec.dataset.labels))
    ]


def _job(cell: Cell, target: Subject, pictures: Pictures) -> Job:
    spec = cell.spec
    pairs = tuple(Pair(row.id, row.reference, row.distortion, row.quality) for row in cell.samples)
    saved = SavedPairs(
        spec.dataset.name,
        pairs,
        higher_better=True,  # rows hold quality, which is oriented
        human_score=spec.dataset.human_score,
        labels=spec.dataset.labels,
        pictures=pictures,
        rows={row.id: row for row in cell.samples},
    )
    return Job(_spec(spec, target), saved, pairs, target.evaluated, target.evaluated, None)


def _spec(spec: CellSpec, target: Subject) -> CellSpec:
    source = SourceRecord(
        model=spec.model, defense=spec.defense, threat=spec.threat, randomised=spec.randomised, eot=spec.eot
    )
    return spec.model_copy(
        update={
            "model": target.model_record,
            "defense": target.defense_on(spec.dataset.labels),
            "threat": "transfer",
            "randomised": not target.evaluated.info.deterministic,
            "eot": 1,
            "version": package_version(),
            "source": source,
        }
    )


def score_transferred(job: Job, batch: Batch) -> list[SampleRow]:
    """Rows of a batch: the target's scores of the un-attacked and of the attacked pictures."""
    data = job.dataset
    if not isinstance(data, SavedPairs):
        raise TypeError(type(data))
    start = time.perf_counter()
    model = job.evaluated
    check_pair(batch.ref, batch.dist, model.info.min_size)
    adversarial = torch.stack([data.adversarial(pair) for pair in batch.pairs]).to(batch.dist.device)
    seeds = sample_seeds(job.spec.seed, [pair.id for pair in batch.pairs])
    with torch.no_grad():
        reference = model.prepare(batch.ref)
        clean, attacked = (reported_scores(model, reference, x, seeds) for x in (batch.dist, adversarial))
    seconds = (time.perf_counter() - start) / len(batch.pairs)
    scores = zip(clean.score.tolist(), attacked.score.tolist(), attacked.spread.tolist(), strict=True)
    changes = perturbations(batch.dist, adversarial)
    return [
        _row(data.rows[pair.id], before, after, spread, change, seconds)
        for pair, (before, after, spread), change in zip(batch.pairs, scores, changes, strict=True)
    ]


def _row(
    made: SampleRow, clean: float, attacked: float, spread: float, change: Perturbation, seconds: float
) -> SampleRow:
    """The source's row with the target's scores; no search was made on the target."""
    ok = math.isfinite(clean) and math.isfinite(attacked)
    score = attacked if math.isfinite(attacked) else None
    return SampleRow(
        id=made.id,
        reference=made.reference,
        distortion=made.distortion,
        quality=made.quality,
        status="ok" if ok else "non-finite",
        clean=clean if math.isfinite(clean) else None,
        attacked=score,
        attacked_8bit=score,
        spread=spread if math.isfinite(spread) else None,
        **asdict(change),
        seconds=seconds,
        eps=made.eps,
        judged=made.judged,
        images=made.images,
        rivals=made.rivals,
    )
