"""One architecture of BiRQA tried out: trained, validated, timed, and its figures kept in one file.

The file is named by what decides the figures, so that a finished trial is not computed again and one of another
recipe, seed or set of photographs is never taken for it.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import spelled
from robustiqa.core.random import own_random_numbers
from robustiqa.models.birqa.entry import BIRQA, TRAINABLE
from robustiqa.models.birqa.model import BiRQANetwork, Settings
from robustiqa.training.loop import Report
from robustiqa.training.recipe import Recipe
from robustiqa.training.run import Run, run_training

VALIDATION = "validation_srocc"


class Timing(BaseModel):
    """Median seconds of one forward pass, and of the shipped architecture's in the same interleaved runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    forward: float
    yardstick: float
    runs: int

    @property
    def speed(self) -> float:
        """Times as fast as the shipped architecture, which a busy machine slows down alike."""
        return self.yardstick / self.forward


class Trial(BaseModel):
    """Figures of one architecture: correlations on the references of validation, and ``timings`` by image size."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")
    model: str
    features: tuple[str, ...]
    parameters: int
    steps: int
    references: int
    srocc: float
    plcc: float
    within_type: float
    timings: dict[str, Timing] = {}


@dataclass(frozen=True)
class Bench:
    """What all trials of a search or an ablation share.

    Attributes:
        folder: of the trials' files; weights go below it.
        size: name of the image size that ``clock`` times at, such as 1920x1080.
        clock: the timing of a model.
        report: called with the trial's name, the step and its figures, after every step of training.
    """

    recipe: Recipe
    photographs: tuple[Path, ...]
    folder: Path
    seed: int
    jobs: int
    size: str
    clock: Callable[[QualityModel], Timing]
    report: Callable[[str, int, Mapping[str, float]], None]

    @cached_property
    def data(self) -> list[str]:
        """The photographs by name and content."""
        return [f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in self.photographs]

    def path(self, settings: Settings) -> Path:
        """The file of the trial of ``settings``."""
        decisive = [asdict(settings), self.recipe.model_dump(mode="json"), self.seed, self.data]
        key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:12]
        return self.folder / f"{re.sub('[^a-z0-9+.-]+', '_', spelled('birqa', settings))}-{key}.json"


def run_trial(settings: Settings, bench: Bench) -> Trial:
    """The trial of ``settings``: what its file says, completed by what is missing there.

    Raises:
        InvalidInput: the file is not a trial's.
    """
    path = bench.path(settings)
    trial = read_trial(path) if path.exists() else _trained(settings, bench, path)
    if bench.size not in trial.timings:
        with own_random_numbers():
            model = BiRQANetwork(settings, BIRQA.info).frozen()
        timings = {**trial.timings, bench.size: bench.clock(model)}
        trial = trial.model_copy(update={"timings": timings})
        write_atomically(path, trial.model_dump_json(indent=1) + "\n")
    return trial


def read_trial(path: Path) -> Trial:
    """The trial in the file ``path``.

    Raises:
        InvalidInput: the file is not a trial's.
    """
    try:
        return Trial.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidInput(f"{path} is not a trial's file; remove it, and the trial is done again.") from error


def _trained(settings: Settings, bench: Bench, path: Path) -> Trial:
    out = bench.folder / "weights" / f"{path.stem}.safetensors"
    out.parent.mkdir(parents=True, exist_ok=True)
    facts = _train(settings, bench, out)
    if VALIDATION not in facts["last"]:  # stopped between the last checkpoint and its figures
        out.with_suffix(".pt").unlink()
        facts = _train(settings, bench, out)
    last = {name: math.nan if value is None else value for name, value in facts["last"].items()}
    trial = Trial(
        model=spelled("birqa", settings),
        features=settings.names,
        parameters=sum(p.numel() for p in BiRQANetwork(settings, BIRQA.info).parameters()),
        steps=bench.recipe.steps,
        references=len(facts["references"]["validation"]),
        srocc=last[VALIDATION],
        plcc=last["validation_plcc"],
        within_type=last["validation_within_type"],
    )
    write_atomically(path, trial.model_dump_json(indent=1) + "\n")
    out.with_suffix(".pt").unlink(missing_ok=True)
    return trial


def _train(settings: Settings, bench: Bench, out: Path) -> dict[str, Any]:
    """Train, and return the facts that the run wrote beside ``out``."""
    report: Report = lambda step, figures: bench.report(spelled("birqa", settings), step, figures)  # noqa: E731
    run_training(Run(TRAINABLE, settings, bench.recipe, bench.photographs, out, bench.seed, bench.jobs), report)
    facts: dict[str, Any] = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    return facts
