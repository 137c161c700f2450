"""One model trained anew on the train part of one split of a dataset (the paper's Table 5 does so for every split)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import build, spelled
from robustiqa.core.random import own_random_numbers
from robustiqa.datasets.base import Pair, PairDataset, references
from robustiqa.datasets.splits import NAMES, Split, check_disjoint
from robustiqa.models.trainable import Trainable
from robustiqa.training.human import HumanSampler, labels_of, watch
from robustiqa.training.lesson import CleanLesson
from robustiqa.training.log import CsvLog
from robustiqa.training.loop import Report, train
from robustiqa.training.recipe import Recipe
from robustiqa.training.scale import LabelScale


@dataclass(frozen=True)
class Retraining:
    """A model, where it trains, and where its checkpoint goes.

    Attributes:
        parameters: of the model, as ``name:parameter=value`` gives them.
        folder: of checkpoints, logs and facts.
    """

    model: Trainable[Any]
    parameters: Mapping[str, str]
    recipe: Recipe
    dataset: PairDataset
    split: Split
    folder: Path
    seed: int

    @cached_property
    def settings(self) -> Any:  # noqa: ANN401 (of the type that the entry names)
        return build(self.model.entry.parameters, self.parameters)

    @property
    def name(self) -> str:
        """The model as it can be typed."""
        return spelled(self.model.entry.info.name, self.settings)

    @cached_property
    def parts(self) -> dict[str, tuple[Pair, ...]]:
        """The pairs of each part.

        Raises:
            InvalidInput: two parts share a reference, or train or test has no pair.
        """
        parts = {name: tuple(p for p in self.dataset.pairs if self.split.part(p.reference) == name) for name in NAMES}
        check_disjoint(**{name: references(pairs) for name, pairs in parts.items()})
        if empty := [name for name in ("train", "test") if not parts[name]]:
            raise InvalidInput(f"{self.dataset.name}, split {self.split.name}: no pair is in {' and '.join(empty)}.")
        return parts

    def check(self) -> None:
        """Whether it can be trained at all, told before the first of many runs.

        Raises:
            UnknownName, InvalidInput: a parameter that the model has not got, or parts as in :attr:`parts`.
        """
        _ = self.settings, labels_of(self.dataset, self.parts["train"])

    @cached_property
    def path(self) -> Path:
        """The checkpoint, named by all that decides it: another recipe or split is never taken for it."""
        parts = {name: sorted(getattr(self.split, name)) for name in NAMES}
        decisive = [self.name, self.recipe.model_dump(mode="json"), self.dataset.manifest(), parts, self.seed]
        key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:12]
        stem = re.sub("[^a-z0-9+.-]+", "_", f"{self.dataset.name}-{self.name}-split-{self.split.name}".lower())
        return self.folder / f"{stem}-{key}.safetensors"


def retrained(run: Retraining, report: Report = lambda _step, _figures: None) -> QualityModel:
    """The model after training on the train part: read where it is finished, continued where it was stopped.

    The validation part is watched, in the log beside the checkpoint; the test part is not touched.

    Raises:
        MissingWeights: weights that the model starts from were found nowhere.
        InvalidInput: parts that share a reference or are empty.
    """
    if not run.path.exists():
        _train(run, report)
    model = run.model.entry.build(run.parameters, run.path)
    model.info = replace(model.info, trained_on=(*run.model.before, run.dataset.labels))
    return model


def _train(run: Retraining, report: Report) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    parts, recipe = run.parts, run.recipe
    labels = dict(zip((pair.id for pair in run.dataset.pairs), labels_of(run.dataset, parts["train"]), strict=True))
    of = {name: np.array([labels[pair.id] for pair in pairs]) for name, pairs in parts.items()}
    total = sum(crops.probability for crops in recipe.crops)
    sizes = [(crops.size, crops.count, crops.probability / total) for crops in recipe.crops]
    sampler = HumanSampler(run.dataset, parts["train"], of["train"], sizes, run.seed)
    with own_random_numbers():
        model = run.model.begin(run.settings, None, run.seed)
    log, last = CsvLog(run.path.with_suffix(".csv")), dict[str, float]()

    def listen(step: int, figures: dict[str, float]) -> None:
        last.update(figures)
        log(step, figures)
        report(step, figures)

    state = run.path.with_suffix(".pt")
    trained = train(
        model,
        sampler,
        CleanLesson(recipe.alpha),
        recipe,
        state,
        lambda model: watch(model, run.dataset, parts["val"], of["val"]),
        listen,
        None if run.model.on_label_scale else LabelScale(model.info.orientation).fit(model, sampler),
        run.model.constrain,
    )
    write_atomically(run.path.with_suffix(".json"), json.dumps(_facts(run, last), indent=1) + "\n")
    write_atomically(run.path, save(run.model.checkpoint(trained)))
    state.unlink()


def _facts(run: Retraining, last: Mapping[str, float]) -> dict[str, Any]:
    return {
        "model": run.name,
        "dataset": run.dataset.name,
        "manifest": run.dataset.manifest(),
        "split": run.split.name,
        "references": {name: references(pairs) for name, pairs in run.parts.items()},
        "recipe": run.recipe.model_dump(mode="json"),
        "seed": run.seed,
        "torch": torch.__version__,
        "last": {name: round(value, 6) for name, value in last.items()},
    }
