"""From what the user asks for to jobs: every combination once, and `down` only where a direction needs it."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from robustiqa.attacks.base import Attack
from robustiqa.attacks.limits import NO_LIMITS, Limits
from robustiqa.benchmarks.broken import defended, knowledge
from robustiqa.benchmarks.cell import AnyThreat, CellSpec, PartRecord
from robustiqa.benchmarks.provenance import package_version
from robustiqa.benchmarks.records import attack_record, dataset_record, defense_record, model_record
from robustiqa.benchmarks.runner import Job
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
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
    """What to run: every model x defense x attack x dataset x ε.

    Attributes:
        defenses: None stands for the undefended model.
        directions: ``tomean`` and ``random`` are composed from ``up`` and ``down`` per sample.
        limit: number of pairs per dataset, in its own order; None for all.
        crop: side of the central window in pixels; None for whole images.
        eot: draws of a randomised model that an attack averages; None for what the model declares.
        limits: where searches stop early.
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


def plan(request: Request) -> list[Job]:
    """All jobs of a request: for each model calibration scores, clean scores of whole images where these are cropped
    or the model is defended (then without the defense as well), and attacks.
    """
    jobs = [job for model in request.models for defense in request.defenses for job in _of(request, model, defense)]
    return list({(job.spec.key, tuple(pair.id for pair in job.pairs)): job for job in jobs}.values())


def clean_jobs(request: Request) -> list[Job]:
    """Only the clean scores of the whole images of the request's datasets.

    Triplets are scored as pairs of the dataset they are about, so that its cell serves both.
    """
    jobs = []
    for model in request.models:
        for dataset in request.datasets:
            whole = dataset.source if isinstance(dataset, TripletDataset) else dataset
            chosen = dataclasses.replace(whole, pairs=dataset.limited(request.limit).pairs)
            jobs.append(_job(request, chosen, whole, model, model, None, None, purpose="clean"))
    return jobs


def _of(request: Request, model: QualityModel, defense: Defense | None) -> Iterator[Job]:
    evaluated = model if defense is None else defended(defense, model)
    calibration = load_demo().limited(CALIBRATION_PAIRS)
    yield _job(request, calibration, calibration, model, evaluated, defense, request.crop, purpose="calibration")
    for dataset in request.datasets:
        chosen = dataset.limited(request.limit)
        if not chosen.pairs:
            raise InvalidInput(f"dataset {dataset.name} has no pairs to take {request.limit} of.")
        if request.crop is not None or defense is not None:
            yield _job(request, chosen, dataset, model, evaluated, defense, None, purpose="clean")
        if defense is not None:  # what it costs on clean images is part of every result
            yield _job(request, chosen, dataset, model, model, None, None, purpose="clean")
        for attack in request.attacks:
            for eps in request.eps:
                for sign, pairs in _signs(request, dataset).items():
                    part = dataclasses.replace(dataset, pairs=pairs)  # with all comparisons, whatever the limit
                    yield _job(request, part, dataset, model, evaluated, defense, request.crop, attack, eps, sign)


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


def _job(
    request: Request,
    chosen: PairDataset,
    whole: PairDataset,
    model: QualityModel,
    evaluated: QualityModel,
    defense: Defense | None,
    crop: int | None,
    attack: Attack | None = None,
    eps: float = 0.0,
    sign: Sign | Literal["none"] = "none",
    purpose: Purpose = "attack",
) -> Job:
    attacked = model if request.threat == "oblivious" else evaluated
    record = None
    if attack is not None:
        record, attack = _attack_record(attack, attacked, sign, whole)
    spec = CellSpec(
        purpose=purpose,
        dataset=dataset_record(whole),
        model=model_record(model),
        defense=None if defense is None else defense_record(defense, evaluated, _seen(model, evaluated, whole)),
        attack=record,
        eps=eps,
        direction=sign,
        threat=_threat(request, defense, attack),
        randomised=not evaluated.info.deterministic,
        eot=1 if attack is None else _eot(request, attacked),
        seed=request.seed,
        crop=crop,
        version=package_version(),
        max_queries=None if attack is None else request.limits.max_queries,
        max_seconds=None if attack is None else request.limits.max_seconds,
    )
    return Job(spec, chosen, chosen.pairs, attacked, evaluated, attack)


def _attack_record(
    attack: Attack, attacked: QualityModel, sign: str, whole: PairDataset
) -> tuple[PartRecord, Attack]:
    """With what the attack has learned for this model; it fails here, before anything runs, where that is missing."""
    usable, learned = knowledge(attack, attacked, 1 if sign == "up" else -1)
    return attack_record(attack, learned, references(whole.pairs)), usable


def _seen(model: QualityModel, defended: QualityModel, dataset: PairDataset) -> tuple[str, ...]:
    """The flag of a defense that was trained on the dataset's labels; a model that was carries its own."""
    learned = set(defended.info.trained_on) - set(model.info.trained_on)
    return ("labels-seen-in-training",) if dataset.labels in learned else ()


def _threat(request: Request, defense: Defense | None, attack: Attack | None) -> AnyThreat:
    if attack is None:
        return "none"
    return attack.access if defense is None else request.threat


def _eot(request: Request, attacked: QualityModel) -> int:
    """A deterministic model draws nothing, whatever was asked for: its cell must not change with it."""
    if attacked.info.deterministic:
        return 1
    return attacked.info.eot if request.eot is None else request.eot
