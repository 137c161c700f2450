"""From what the user asks for to jobs: every combination once, and `down` only where a direction needs it."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from robustiqa.attacks.base import Attack
from robustiqa.attacks.limits import NO_LIMITS, Limits
from robustiqa.benchmarks.broken import defended, knowledge
from robustiqa.benchmarks.calibration import Calibration
from robustiqa.benchmarks.cell import CellSpec, DatasetRecord, ModelRecord, PartRecord
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.provenance import package_version
from robustiqa.benchmarks.records import attack_record, check_distinct, dataset_record, defense_record, model_record
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.precision import EXACT, Haste
from robustiqa.datasets.base import Pair, PairDataset, references
from robustiqa.datasets.demo import load_demo
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.defenses.base import Defense
from robustiqa.statistics.direction import random_signs, tomean_signs

Direction = Literal["up", "down", "tomean", "random"]
Threat = Literal["adaptive", "oblivious"]
CALIBRATION_PAIRS = 70  # of demo, ten per reference: the model's own range of clean scores, for normalised gains
Sign = Literal["up", "down"]
Purpose = Literal["attack", "clean", "calibration"]


@dataclass(frozen=True)
class Request:
    """What to run: every model x defense x attack x dataset x ε; without attacks, clean scores alone.

    Attributes:
        defenses: None stands for the undefended model.
        directions: ``tomean`` and ``random`` are composed from ``up`` and ``down`` per sample.
        limit: number of pairs per dataset, in its own order; None for all.
        crop: side of the central window in pixels; None for whole images.
        eot: draws of a randomised model that an attack averages; None for what the model declares.
        limits: where searches stop early.
        calibration: equal visibility in place of equal ε; ``eps`` are then the largest radii looked at.
        haste: how searches call models; scores never change with it.
    """

    models: tuple[QualityModel, ...]
    attacks: tuple[Attack, ...]
    datasets: tuple[PairDataset, ...]
    defenses: tuple[Defense | None, ...] = (None,)
    eps: tuple[float, ...] = (8 / 255,)
    directions: tuple[Direction, ...] = ("up", "tomean")
    threat: Threat = "adaptive"
    limit: int | None = None
    crop: int | None = None
    seed: int = 0
    eot: int | None = None
    limits: Limits = NO_LIMITS
    calibration: Calibration | None = None
    haste: Haste = EXACT


def plan(*requests: Request) -> list[Job]:
    """All jobs of some requests, each cell once.

    For each model and defense its calibration scores; clean scores of whole images where these are cropped or the model
    is defended (then without the defense as well); and its attacks. Without attacks clean scores of whole images alone.

    Raises:
        InvalidInput: what cannot run, such as an attack that has not learned what it needs.
    """
    check_distinct([model for request in requests for model in request.models])
    return merged(job for request in requests for job in _jobs(request))


def _jobs(request: Request) -> list[Job]:
    return list(_Planner(request).jobs()) if request.attacks else clean_jobs(request)


def merged(jobs: Iterable[Job]) -> list[Job]:
    """One job for each cell, with the pairs of all that were for it."""
    cells: dict[str, Job] = {}
    for job in jobs:
        known = cells.setdefault(job.spec.key, job)
        if known is not job:
            pairs = {pair.id: pair for pair in (*known.pairs, *job.pairs)}
            cells[job.spec.key] = dataclasses.replace(known, pairs=tuple(pairs.values()))
    return list(cells.values())


def clean_jobs(request: Request) -> list[Job]:
    """Only the clean scores of the whole images of the request's datasets; datasets vary fastest.

    Triplets are scored as pairs of the dataset they are about, so that its cell serves both.
    """
    planner = _Planner(request)
    sources = [dataset.source if isinstance(dataset, TripletDataset) else dataset for dataset in request.datasets]
    chosen = [
        dataclasses.replace(source, pairs=dataset.limited(request.limit).pairs)
        for source, dataset in zip(sources, request.datasets, strict=True)
    ]
    records = [dataset_record(source) for source in sources]
    return [
        planner.job(subject, part, record, purpose="clean")
        for subject in subjects(request)
        for part, record in zip(chosen, records, strict=True)
    ]


def subjects(request: Request) -> list["Subject"]:
    """The request's models, each with each of its defenses."""
    return [Subject.of(model, defense) for model in request.models for defense in request.defenses]


def calibration_jobs(request: Request, crop: int | None, seed: int) -> list[Job]:
    """Only the calibration scores of the request's models and defenses."""
    planner = _Planner(dataclasses.replace(request, crop=crop, seed=seed))
    return [planner.calibration(subject) for subject in subjects(request)]


@dataclass(frozen=True)
class Subject:
    """A model with a defense in front of it, or none, and what cells say of them, whatever the dataset."""

    model: QualityModel
    evaluated: QualityModel
    model_record: ModelRecord
    defense_record: PartRecord | None

    @classmethod
    def of(cls, model: QualityModel, defense: Defense | None) -> "Subject":
        evaluated = model if defense is None else defended(defense, model)
        record = None if defense is None else defense_record(defense, evaluated)
        return cls(model, evaluated, model_record(model), record)

    @property
    def undefended(self) -> "Subject":
        """The model alone."""
        return Subject(self.model, self.model, self.model_record, None)

    def defense_on(self, labels: str) -> PartRecord | None:
        """The defense, flagged where it was trained on ``labels``; a model that was carries its own flag."""
        learned = set(self.evaluated.info.trained_on) - set(self.model.info.trained_on)
        if self.defense_record is None or labels not in learned:
            return self.defense_record
        return self.defense_record.model_copy(update={"flags": ("labels-seen-in-training",)})


@dataclass(frozen=True)
class _Planner:
    """One request's jobs."""

    request: Request

    def jobs(self) -> Iterator[Job]:
        request = self.request
        wholes = [(dataset, dataset_record(dataset), self._parts(dataset)) for dataset in request.datasets]
        for subject in subjects(request):
            yield self.calibration(subject)
            for dataset, record, parts in wholes:
                yield from self._clean(subject, dataset.limited(request.limit), record)
                for attack in request.attacks:
                    for eps in request.eps:
                        for sign, part in parts.items():
                            yield self._attack_job(subject, part, dataset, record, attack, eps, sign)

    def calibration(self, subject: Subject) -> Job:
        """Of the model's own range of clean scores."""
        part = load_demo().limited(CALIBRATION_PAIRS)
        return self.job(subject, part, dataset_record(part), purpose="calibration", crop=self.request.crop)

    def _clean(self, subject: Subject, part: PairDataset, record: DatasetRecord) -> Iterator[Job]:
        """Of whole images. What a defense costs on clean ones is part of every result."""
        if self.request.crop is not None or subject.defense_record is not None:
            yield self.job(subject, part, record, purpose="clean")
        if subject.defense_record is not None:
            yield self.job(subject.undefended, part, record, purpose="clean")

    def _parts(self, dataset: PairDataset) -> dict[Sign, PairDataset]:
        """The pairs that need each sign, with all comparisons, whatever the limit."""
        if not dataset.limited(self.request.limit).pairs:
            raise InvalidInput(f"dataset {dataset.name} has no pairs to take {self.request.limit} of.")
        signs = _signs(self.request, dataset)
        return {sign: dataclasses.replace(dataset, pairs=pairs) for sign, pairs in signs.items()}

    def _attack_job(
        self,
        subject: Subject,
        part: PairDataset,
        dataset: PairDataset,
        record: DatasetRecord,
        attack: Attack,
        eps: float,
        sign: Sign,
    ) -> Job:
        request = self.request
        attacked = subject.model if request.threat == "oblivious" else subject.evaluated
        about, usable = _attack_record(attack, attacked, sign, dataset)
        job = self.job(subject, part, record, purpose="attack", crop=request.crop)
        haste = request.haste.on(attacked)
        spec = job.spec.model_copy(
            update={
                "attack": about,
                "eps": eps,
                "direction": sign,
                "threat": attack.access if subject.defense_record is None else request.threat,
                "eot": _eot(request, attacked),
                "max_queries": request.limits.max_queries,
                "max_seconds": request.limits.max_seconds,
                "calibrate": None if request.calibration is None else request.calibration.record(),
                "precision": haste.precision,
                "compiled": haste.compiled or None,
            }
        )
        return dataclasses.replace(job, spec=spec, attacked=attacked, attack=usable, calibration=request.calibration)

    def job(
        self, subject: Subject, part: PairDataset, record: DatasetRecord, purpose: Purpose, crop: int | None = None
    ) -> Job:
        """Clean scores of ``part``, which is some of the dataset that ``record`` is about."""
        spec = CellSpec(
            purpose=purpose,
            dataset=record,
            model=subject.model_record,
            defense=subject.defense_on(record.labels),
            attack=None,
            eps=0.0,
            direction="none",
            threat="none",
            randomised=not subject.evaluated.info.deterministic,
            eot=1,
            seed=self.request.seed,
            crop=crop,
            version=package_version(),
        )
        patience = self.request.limits.max_seconds
        return Job(spec, part, part.pairs, subject.evaluated, subject.evaluated, None, patience=patience)


def _signs(request: Request, dataset: PairDataset) -> dict[Sign, tuple[Pair, ...]]:
    """Which pairs of the (limited) dataset need which sign; of two compared images the preferred one is lowered."""
    chosen = dataset.limited(request.limit).pairs
    needed: dict[Sign, set[str]] = {"up": set(), "down": _preferred(dataset, {pair.id for pair in chosen})}
    for direction in request.directions:
        if direction == "up" or direction == "down":  # noqa: PLR1714 (narrows the type)
            needed[direction] |= {pair.id for pair in chosen}
            continue
        if direction == "tomean":
            signs = tomean_signs(dataset.quality())
        else:
            signs = random_signs([pair.id for pair in dataset.pairs], request.seed)
        for pair, sign in zip(dataset.pairs, signs, strict=True):
            needed["up" if sign > 0 else "down"].add(pair.id)
    subsets = {sign: tuple(pair for pair in chosen if pair.id in ids) for sign, ids in needed.items()}
    return {sign: pairs for sign, pairs in subsets.items() if pairs}


def _preferred(dataset: PairDataset, among: set[str]) -> set[str]:
    """The images that people preferred to another one of ``among``, where the dataset holds comparisons."""
    if not isinstance(dataset, TripletDataset):
        return set()
    compared = [triplet for triplet in dataset.triplets if {triplet.p0, triplet.p1} <= among]
    return {t.p1 if t.preference > 0.5 else t.p0 for t in compared if t.preference != 0.5}


def _attack_record(
    attack: Attack, attacked: QualityModel, sign: str, whole: PairDataset
) -> tuple[PartRecord, Attack]:
    """With what the attack has learned for this model; it fails here, before anything runs, where that is missing."""
    usable, learned = knowledge(attack, attacked, 1 if sign == "up" else -1)
    return attack_record(attack, learned, references(whole.pairs)), usable


def _eot(request: Request, attacked: QualityModel) -> int:
    """A deterministic model draws nothing, whatever was asked for: its cell must not change with it."""
    if attacked.info.deterministic:
        return 1
    return attacked.info.eot if request.eot is None else request.eot
