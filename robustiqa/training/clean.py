"""Clean training from start to finish: photographs to pairs, labels, a trained network and its card's facts."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.random import derive_seed
from robustiqa.datasets.splits import check_disjoint, split_by_reference
from robustiqa.models.trainable import Trainable
from robustiqa.training.batches import Sampler
from robustiqa.training.labels import Distillation, make_labels
from robustiqa.training.loop import Report, train
from robustiqa.training.pairs import Shelf, make_shelves
from robustiqa.training.recipe import Recipe
from robustiqa.training.scale import LabelScale
from robustiqa.training.synthesis import Recipe as Synthesis
from robustiqa.training.validation import validate

Labels = list[NDArray[np.float64]]
MINIMUM_REFERENCES = 5


@dataclass(frozen=True)
class Run:
    """One training run: what it trains, on which photographs, and where it writes.

    ``settings`` are the model's parameters, of the type that ``model.entry`` names. ``start`` is a checkpoint of the
    same architecture to train on from; without it ``model.fresh`` says where weights come from.
    """

    model: Trainable[Any]
    settings: Any
    recipe: Recipe
    photographs: tuple[Path, ...]
    out: Path
    seed: int = 0
    jobs: int = 2
    start: Path | None = None

    def split(self) -> dict[str, list[Path]]:
        """Photographs of training, validation and test, disjoint by reference."""
        files = {path.stem: path for path in self.photographs}
        if len(files) < MINIMUM_REFERENCES:
            raise InvalidInput(f"{len(files)} photographs; training needs at least {MINIMUM_REFERENCES} to split.")
        names = ("train", "validation", "test")
        parts = dict(zip(names, split_by_reference(files, self.recipe.split), strict=True))
        check_disjoint(**parts)
        return {name: [files[stem] for stem in stems] for name, stems in parts.items()}


def run_clean(run: Run, report: Report) -> Path:
    """Train a model by a clean recipe; write ``out`` (safetensors) with its facts beside it and return it.

    Beside ``out`` stand ``.pt`` (the checkpoint that resumes), ``.csv`` (the log, if ``report`` writes one) and
    ``.json`` (data, steps, seed, split and the last validation figures).
    """
    parts = run.split()
    model = run.model.begin(run.settings, run.start, run.seed)
    shelves, labels = _data(run, parts["train"])
    held_out, expected = _data(run, parts["validation"])
    total = sum(crops.probability for crops in run.recipe.crops)
    sizes = [(crops.size, crops.count, crops.probability / total) for crops in run.recipe.crops]
    last: dict[str, float] = {}

    def listen(step: int, figures: dict[str, float]) -> None:
        last.update(figures)
        report(step, figures)

    sampler = Sampler(shelves, labels, sizes, run.seed, run.recipe.identical)
    trained = train(
        model,
        sampler,
        run.recipe,
        run.out.with_suffix(".pt"),
        lambda model: validate(model, held_out, expected, model.info.orientation),
        listen,
        None if run.model.on_label_scale else LabelScale(model.info.orientation).fit(model, sampler),
        run.model.constrain,
    )
    write_atomically(run.out, save(run.model.checkpoint(trained)))
    write_atomically(run.out.with_suffix(".json"), json.dumps(_facts(run, parts, last), indent=1) + "\n")
    return run.out


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
    folder = cache_folder("training") / f"{derive_seed(asdict(synthesis), run.seed):x}"
    shelves = list(make_shelves(photographs, folder, synthesis, run.seed, run.jobs))
    drafts = [draft for shelf in shelves for draft in shelf.drafts]
    teachers = np.concatenate([shelf.teachers for shelf in shelves])
    labels = make_labels(drafts, teachers, Distillation(recipe.distillation, recipe.calibration))
    ends = np.cumsum([len(shelf.drafts) for shelf in shelves])[:-1]
    return shelves, np.split(labels, ends)


def _facts(run: Run, parts: dict[str, list[Path]], last: dict[str, float]) -> dict[str, Any]:
    return {
        "name": run.model.entry.info.name,
        "model": asdict(run.settings),
        "recipe": run.recipe.model_dump(mode="json"),
        "seed": run.seed,
        "start": None if run.start is None else hashlib.sha256(run.start.read_bytes()).hexdigest(),
        "torch": torch.__version__,
        "references": {name: [path.stem for path in paths] for name, paths in parts.items()},
        "last": {name: round(value, 6) for name, value in last.items()},
    }
