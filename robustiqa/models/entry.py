"""What stands behind a model's name: its facts, its parameters, and how to build it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from robustiqa.core.errors import BrokenPlugin, InvalidInput
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.parameters import build, spelled
from robustiqa.core.random import own_random_numbers
from robustiqa.models.weights import RANDOM, WeightFile, Weights

P = TypeVar("P")
RANDOM_FLAG: Final = "random-weights"


@dataclass(frozen=True)
class NoParameters:
    """Of a model that has none."""


@dataclass(frozen=True)
class ModelEntry(Generic[P]):
    """A name of the registry.

    Attributes:
        info: readable without loading weights.
        parameters: a dataclass; its fields are the parameters of ``name:parameter=value``.
        load: builds the model from parameters, weights and the info to carry.
        files: the weights that it is filled with by default.
    """

    info: ModelInfo
    parameters: type[P]
    load: Callable[[P, Weights, ModelInfo], QualityModel]
    files: tuple[WeightFile, ...] = ()

    def build(self, parameters: Mapping[str, object], weights: Weights) -> QualityModel:
        """The model, frozen; with random weights it says so in its flags.

        Raises:
            InvalidInput: a parameter that the model has not got, or a value or weights that it cannot take.
        """
        settings = build(self.parameters, parameters)
        info = replace(self.info, name=spelled(self.info.name, settings))
        if weights == RANDOM:
            info = replace(info, flags=(*info.flags, RANDOM_FLAG), weights=())
        with own_random_numbers():
            return self.load(settings, weights, info).frozen()


def as_entry(name: str, thing: object) -> ModelEntry[Any]:
    """What the registry holds under ``name``, as an entry.

    A plug-in registers a ``ModelEntry``, or simply a ``QualityModel`` class with a class attribute ``info``
    and a constructor without arguments.

    Raises:
        BrokenPlugin: it is neither.
    """
    if isinstance(thing, ModelEntry):
        return thing
    if isinstance(thing, type) and issubclass(thing, QualityModel) and hasattr(thing, "info"):
        return ModelEntry(thing.info, NoParameters, lambda _, weights, info: _construct(thing, weights, info))
    wanted = "a ModelEntry, or a QualityModel class with an attribute info"
    raise BrokenPlugin(f"model {name!r} is {thing!r}; wanted {wanted}.")


def refuse_weights(weights: Weights, info: ModelInfo) -> None:
    """For models without weights.

    Raises:
        InvalidInput: weights were given.
    """
    if weights is not None:
        raise InvalidInput(f"weights={str(weights)!r}: model {info.name!r} takes none; leave them out.")


def _construct(cls: type[QualityModel], weights: Weights, info: ModelInfo) -> QualityModel:
    refuse_weights(weights, info)
    return cls()
