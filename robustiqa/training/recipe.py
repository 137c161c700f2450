"""Training recipes: TOML files of the package or of the user, checked field by field."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.models import TRAINABLE

Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Crops(_Strict):
    """Batches of ``count`` crops of ``size`` pixels, drawn with ``probability``."""

    size: Annotated[int, Field(ge=32)]
    count: Annotated[int, Field(ge=2)]
    probability: Positive


class Recipe(_Strict):
    """Everything that decides a clean training run beside the model and the photographs."""

    steps: Annotated[int, Field(ge=1)]
    learning_rate: Positive
    final_learning_rate: Positive
    warmup: Annotated[int, Field(ge=0)] = 0
    betas: tuple[float, float] = (0.9, 0.999)
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.7
    crops: Annotated[tuple[Crops, ...], Field(min_length=1)]
    identical: Annotated[float, Field(ge=0, le=1)] = 0.03
    distillation: Annotated[float, Field(ge=0, le=1)] = 1.0
    calibration: Annotated[float, Field(ge=0, le=1)] = 0.8
    split: tuple[Positive, Positive, Positive] = (60, 20, 21)
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


class _Models(_Strict):
    models: dict[str, dict[str, Any]]


def load_recipe(name: str, model: str = "") -> Recipe:
    """The recipe called ``name`` in the package, or the TOML file at that path, for a trainable model.

    Fields in a table ``[models.NAME]`` apply to that model alone, instead of those of the whole file.

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
        content = tomllib.loads(text)
        own = _Models.model_validate({"models": content.pop("models", {})}).models
        for known in own:
            _check_trainable(known)
        return Recipe.model_validate(content | own.get(model, {}))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"recipe {name}: not TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in error.errors())
        raise InvalidInput(f"recipe {name}: {faults}.") from error


def _check_trainable(name: str) -> None:
    if name not in TRAINABLE.names():
        raise UnknownName("trainable model", name, TRAINABLE.names())
