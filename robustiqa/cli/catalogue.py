"""What the listing commands show of each kind of thing."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from robustiqa.attacks import ATTACKS
from robustiqa.core.registry import Registry
from robustiqa.datasets import DATASETS
from robustiqa.defenses import DEFENSES
from robustiqa.models import MODELS, model_info

CATALOGUES: Final[Mapping[str, Registry[Any]]] = {
    "models": MODELS,
    "attacks": ATTACKS,
    "defenses": DEFENSES,
    "datasets": DATASETS,
}


def describe(kind: str, registry: Registry[Any], name: str) -> dict[str, Any]:
    """Name, summary and origin of a thing, and what its kind adds."""
    record = {"name": name, "summary": _summary(registry.get(name)), "origin": registry.origin(name)}
    return record | _DETAILS[kind](registry.get(name), name)


def _summary(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def _model(thing: object, name: str) -> dict[str, Any]:
    info = dataclasses.asdict(model_info(name))
    score = "lower is better" if info["lower_better"] else "higher is better"
    is_plugin = isinstance(thing, type) and thing.__doc__ and MODELS.origin(name) != "built-in"
    own = [_summary(thing).rstrip(".")] if is_plugin else []
    return {"summary": "; ".join((*own, score, info["paper"])), **info}


def _parameters(thing: Any, _name: str) -> dict[str, Any]:  # noqa: ANN401
    fields = dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else ()
    parameters = {field.name: field.default for field in fields if field.init}
    return {"parameters": parameters, "paper": getattr(thing, "paper", "")}


_DETAILS: Final[Mapping[str, Callable[[Any, str], dict[str, Any]]]] = {
    "models": _model,
    "attacks": _parameters,
    "defenses": _parameters,
    "datasets": lambda thing, name: {"parameters": _parameters(thing, name)["parameters"]},
}
