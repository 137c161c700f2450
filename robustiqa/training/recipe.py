"""Training recipes: TOML files of the package or of the user, checked field by field."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.datasets.splits import TRAINING_PARTS
from robustiqa.models import TRAINABLE
from robustiqa.training.adversarial.anchored import AnchoredRanking
from robustiqa.training.adversarial.gradient_norm import GradientNorm
from robustiqa.training.adversarial.inner import Inner
from robustiqa.training.adversarial.label_penalty import LabelPenalty
from robustiqa.training.adversarial.lesson import AdversarialLesson
from robustiqa.training.adversarial.policy import BatchPolicy
from robustiqa.training.adversarial.vanilla import Regression
from robustiqa.training.lesson import CleanLesson, Lesson
from robustiqa.training.settings import Positive, Share, Strict

Loss = Annotated[Regression | LabelPenalty | GradientNorm | AnchoredRanking, Field(discriminator="kind")]


class Crops(Strict):
    """Batches of ``count`` crops of ``size`` pixels, drawn with ``probability``."""

    size: Annotated[int, Field(ge=32)]
    count: Annotated[int, Field(ge=2)]
    probability: Positive


class Recipe(Strict):
    """Everything that decides a clean training run beside the model and the photographs."""

    steps: Annotated[int, Field(ge=1)]
    learning_rate: Positive
    final_learning_rate: Positive
    warmup: Annotated[int, Field(ge=0)] = 0
    betas: tuple[float, float] = (0.9, 0.999)
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    alpha: Share = 0.7
    crops: Annotated[tuple[Crops, ...], Field(min_length=1)]
    identical: Share = 0.03
    distillation: Share = 1.0
    calibration: Share = 0.8
    split: tuple[Positive, Positive, Positive] = TRAINING_PARTS
    beyond: Annotated[int, Field(ge=0)] = 1
    common: Annotated[int, Field(ge=0)] = 2
    composed: Annotated[int, Field(ge=0)] = 12
    transmission: Annotated[int, Field(ge=0)] = 5
    unpublished: Annotated[int, Field(ge=0)] = 8
    pair_size: Annotated[int, Field(ge=32)] = 384
    tile: Annotated[int, Field(ge=80)] = 192  # SR-SIM's saliency needs 80 pixels
    validate_every: Annotated[int, Field(ge=1)] = 2000
    save_every: Annotated[int, Field(ge=1)] = 200

    @model_validator(mode="after")
    def _crops_fit(self) -> Self:
        largest = max(crops.size for crops in self.crops)
        if largest > self.tile:
            raise ValueError(f"crops of {largest} pixels do not fit into tiles of {self.tile}; raise tile")
        if self.pair_size % self.tile:
            raise ValueError(f"pair_size {self.pair_size} is not a multiple of tile {self.tile}")
        return self

    @property
    def sizes(self) -> list[tuple[int, int, float]]:
        """(crop size, crops per batch, probability), the probabilities adding up to 1."""
        total = sum(crops.probability for crops in self.crops)
        return [(crops.size, crops.count, crops.probability / total) for crops in self.crops]

    def lesson(self, seed: int) -> Lesson:  # noqa: ARG002
        """The loss of a training step."""
        return CleanLesson(self.alpha)

    def resolved(self, tiles: int) -> Self:  # noqa: ARG002
        """The recipe with its number of steps, given how many labelled tiles there are to train on."""
        return self

    def lasting(self, steps: int) -> Self:
        """The recipe at ``steps`` steps, whatever it said itself."""
        return self.model_copy(update={"steps": steps})


class AdversarialRecipe(Recipe):
    """A training defense: fine-tuning by a batch policy, an inner attack and a loss.

    One of these says how long: ``steps``; ``budget``, in forward and backward passes of one crop, so that defenses
    whose steps cost more get fewer; or ``epochs``, of as many crops as there are labelled tiles.

    Attributes:
        attacked_pairs: crops of held-out references that PGD-10 attacks at every validation.
    """

    steps: Annotated[int, Field(ge=0)] = 0
    budget: Annotated[int, Field(ge=0)] = 0
    epochs: Annotated[int, Field(ge=0)] = 0
    batch: BatchPolicy = BatchPolicy()
    inner: Inner | None = None
    loss: Loss
    attacked_pairs: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if sum(value > 0 for value in (self.steps, self.budget, self.epochs)) != 1:
            raise ValueError("give one of steps, budget and epochs")
        return self

    @model_validator(mode="after")
    def _anchors_suffice(self) -> Self:
        smallest = min(crops.count for crops in self.crops)
        kept = self.batch.kept(smallest)
        if isinstance(self.loss, AnchoredRanking) and kept == 0:
            raise ValueError("the anchored loss needs anchors; raise batch.clean")
        if self.batch.anchors == "spaced" and kept < self.batch.needed():
            raise ValueError(
                f"{kept} anchors of {smallest} crops cannot cover a band of {self.batch.band:g} in gaps of "
                f"{self.batch.gap:g}: {self.batch.needed()} are needed; raise batch.clean or batch.gap"
            )
        return self

    def lesson(self, seed: int) -> AdversarialLesson:
        return AdversarialLesson(self.batch, self.inner, self.loss, self.alpha, seed)

    def resolved(self, tiles: int) -> Self:
        if self.steps:
            return self
        lesson = self.lesson(0)
        crops = sum(p * count for _, count, p in self.sizes)
        cost = sum(p * lesson.passes(count) for _, count, p in self.sizes)
        steps = self.budget / cost if self.budget else self.epochs * tiles / crops
        return self.lasting(max(1, int(steps)))

    def lasting(self, steps: int) -> Self:
        return self.model_copy(update={"steps": steps, "budget": 0, "epochs": 0})


class _Models(Strict):
    models: dict[str, dict[str, Any]]


def load_recipe(name: str, model: str = "") -> Recipe:
    """The recipe called ``name`` in the package, or the TOML file at that path, for a trainable model.

    One with a table ``[loss]`` is an :class:`AdversarialRecipe`. Fields in a table ``[models.NAME]`` apply to that
    model alone, instead of those of the whole file.

    Raises:
        UnknownName: neither a recipe of the package nor a file, or a table for a model that is not trainable.
        InvalidInput: the file is not TOML, or a field is missing, unknown or out of range.
    """
    folder = files("robustiqa.training").joinpath("recipes")
    shipped = {Path(entry.name).stem: entry for entry in folder.iterdir() if entry.name.endswith(".toml")}
    path = Path(name)
    if name not in shipped and not path.is_file():
        raise UnknownName("recipe", name, shipped)
    text = shipped[name].read_text(encoding="utf-8") if name in shipped else path.read_text(encoding="utf-8")
    try:
        return parse_recipe(tomllib.loads(text), name, model)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"recipe {name}: not TOML: {error}.") from error


def parse_recipe(content: Mapping[str, Any], name: str, model: str = "") -> Recipe:
    """As :func:`load_recipe`, of the ``content`` of a file called ``name``."""
    fields = dict(content)
    try:
        own = _Models.model_validate({"models": fields.pop("models", {})}).models
        for known in own:
            _check_trainable(known)
        fields |= own.get(model, {})
        return (AdversarialRecipe if "loss" in fields else Recipe).model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in error.errors())
        raise InvalidInput(f"recipe {name}: {faults}.") from error


def _check_trainable(name: str) -> None:
    if name not in TRAINABLE.names():
        raise UnknownName("trainable model", name, TRAINABLE.names())
