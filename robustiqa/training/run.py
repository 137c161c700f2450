"""Training from start to finish: photographs to pairs, labels, a trained network and its card's facts."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from robustiqa.core.cache import cache_folder
from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.model import QualityModel
from robustiqa.core.random import derive_seed
from robustiqa.datasets.splits import check_disjoint, split_by_reference
from robustiqa.models.trainable import Trainable
from robustiqa.training.batches import Sampler
from robustiqa.training.labels import Distillation, make_labels
from robustiqa.training.loop import Report, Validate, train
from robustiqa.training.pairs import Shelf, make_shelves
from robustiqa.training.recipe import AdversarialRecipe, Recipe
from robustiqa.training.scale import LabelScale
from robustiqa.training.synthesis import Recipe as Synthesis
from robustiqa.training.validation import validate, validate_attacked

Labels = list[NDArray[np.float64]]
MINIMUM_REFERENCES = 5
LENGTH = {"steps", "budget", "epochs", "validate_every", "save_every", "attacked_pairs"}


@dataclass(frozen=True)
class Run:
    """One training run: what it trains, on which photographs, and where it writes.

    ``settings`` are the model's parameters, of the type that ``model.entry`` names. ``start`` is a checkpoint of the
    same architecture to train on from. Without it a clean recipe starts where ``model.fresh`` says, and a training
    defense from the weights that the model's name stands for.
    """

    model: Trainable[Any]
    settings: Any
    recipe: Recipe
    photographs: tuple[Path, ...]
    out: Path
    seed: int = 0
    jobs: int = 2
    start: Path | None = None
    pairs_seed: int | None = None

    @property
    def drawn(self) -> int:
        """The seed of the pairs' distortions: that of the run, unless pairs are to be shared between seeds."""
        return self.seed if self.pairs_seed is None else self.pairs_seed

    def split(self) -> dict[str, list[Path]]:
        """Photographs of training, validation and test, disjoint by reference."""
        files = {path.stem: path for path in self.photographs}
        if len(files) < MINIMUM_REFERENCES:
            raise InvalidInput(f"{len(files)} photographs; training needs at least {MINIMUM_REFERENCES} to split.")
        names = ("train", "validation", "test")
        parts = dict(zip(names, split_by_reference(files, self.recipe.split), strict=True))
        check_disjoint(**parts)
        return {name: [files[stem] for stem in stems] for name, stems in parts.items()}


def run_training(run: Run, report: Report, announce: Callable[[int], None] = lambda _steps: None) -> Path:
    """Train a model by a recipe; write ``out`` (safetensors) with its facts beside it and return it.

    Beside ``out`` stand ``.pt`` (the checkpoint that resumes), ``.csv`` (the log, if ``report`` writes one) and
    ``.json`` (data, steps, passes, seconds, seed, split and the last figures). ``announce`` hears how many steps there
    will be, once that is known.

    Raises:
        MissingWeights: weights that it starts from were found nowhere.
        InvalidInput: photographs or ``start`` cannot be used, or the checkpoint beside ``out`` is of another run.
    """
    parts = run.split()
    model = _begun(run)
    start = weights_digest(model)
    shelves, labels = _data(run, parts["train"])
    recipe = run.recipe.resolved(sum(values.size for values in labels))
    announce(recipe.steps)
    last: dict[str, float] = {}

    def listen(step: int, figures: dict[str, float]) -> None:
        last.update(figures)
        report(step, figures)

    sampler = Sampler(shelves, labels, recipe.sizes, run.seed, recipe.identical)
    scale = None if run.model.on_label_scale else LabelScale(model.info.orientation).fit(model, sampler)
    if isinstance(recipe, AdversarialRecipe):
        sampler = replace(sampler, band=recipe.batch.band)
    trained = train(
        model, sampler, recipe.lesson(run.seed), recipe, run.out.with_suffix(".pt"), _judge(run, parts), listen, scale,
        run.model.constrain, _subject(run, start),
    )  # fmt: skip
    write_atomically(run.out, save(run.model.checkpoint(trained)))
    facts = _facts(run, recipe, start, parts, last)
    write_atomically(run.out.with_suffix(".json"), json.dumps(facts, indent=1, allow_nan=False) + "\n")
    return run.out


def judge_start(run: Run) -> dict[str, float]:
    """The validation figures of what ``run`` starts from."""
    return _judge(run, run.split())(_begun(run).eval())


def _judge(run: Run, parts: dict[str, list[Path]]) -> Validate:
    held_out, expected = _data(run, parts["validation"])
    recipe = run.recipe

    def judge(model: QualityModel) -> dict[str, float]:
        figures = validate(model, held_out, expected, model.info.orientation)
        if isinstance(recipe, AdversarialRecipe) and recipe.attacked_pairs:
            figures |= validate_attacked(model, held_out, expected, recipe.attacked_pairs, recipe.crops[0].size)
        return figures

    return judge


def _begun(run: Run) -> QualityModel:
    if isinstance(run.recipe, AdversarialRecipe):
        return run.model.resume(run.settings, run.start)
    return run.model.begin(run.settings, run.start, run.seed)


def _subject(run: Run, start: str) -> str:
    """Names a run by what decides its steps. Its length does not: a run may be resumed to last longer."""
    photographs = sorted(path.stem for path in run.photographs)
    recipe = run.recipe.model_dump(mode="json", exclude=LENGTH)
    decisive = [run.model.entry.info.name, asdict(run.settings), recipe, run.seed, run.drawn, start, photographs]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _data(run: Run, photographs: list[Path]) -> tuple[list[Shelf], Labels]:
    recipe = run.recipe
    synthesis = Synthesis(
        recipe.beyond,
        recipe.common,
        recipe.composed,
        recipe.transmission,
        recipe.unpublished,
        crop=recipe.pair_size,
        tile=recipe.tile,
    )
    folder = cache_folder("training") / f"{derive_seed(asdict(synthesis), run.drawn):x}"
    shelves = list(make_shelves(photographs, folder, synthesis, run.drawn, run.jobs))
    drafts = [draft for shelf in shelves for draft in shelf.drafts]
    teachers = np.concatenate([shelf.teachers for shelf in shelves])
    labels = make_labels(drafts, teachers, Distillation(recipe.distillation, recipe.calibration))
    ends = np.cumsum([len(shelf.drafts) for shelf in shelves])[:-1]
    return shelves, np.split(labels, ends)


def _facts(
    run: Run, recipe: Recipe, start: str, parts: dict[str, list[Path]], last: dict[str, float]
) -> dict[str, Any]:
    return {
        "name": run.model.entry.info.name,
        "model": asdict(run.settings),
        "recipe": recipe.model_dump(mode="json"),
        "seed": run.seed,
        "pairs_seed": run.drawn,
        "start": None if run.start is None else hashlib.sha256(run.start.read_bytes()).hexdigest(),
        "start_weights": start,
        "torch": torch.__version__,
        "references": {name: [path.stem for path in paths] for name, paths in parts.items()},
        "last": {name: round(value, 6) if math.isfinite(value) else None for name, value in last.items()},
    }
