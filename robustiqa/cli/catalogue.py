"""What the listing commands show of each kind of thing."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

from robustiqa.attacks import ATTACKS
from robustiqa.core.errors import BrokenPlugin, MissingExtra
from robustiqa.core.parameters import options
from robustiqa.core.registry import Registry
from robustiqa.datasets import DATASETS
from robustiqa.defenses import DEFENSES
from robustiqa.models import MODELS, model_info
from robustiqa.models.entry import as_entry

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
    parameters = _parameters(as_entry(name, thing).parameters, name)
    return {"summary": "; ".join((*own, score, info["paper"])), **info, **parameters}


def _attack(thing: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    default = _default(thing, name)
    calls = default.calls if default else None
    passes = dataclasses.asdict(calls) if calls else None
    return {**_parameters(thing, name), "paper": thing.paper, "access": thing.access, "calls": passes}


def _defense(thing: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    default = _default(thing, name)
    facts = {word: getattr(default, word, False) for word in ("randomised", "paired")}
    return {**_parameters(thing, name), "paper": thing.paper, **facts}


def _parameters(thing: Any, _name: str) -> dict[str, Any]:  # noqa: ANN401
    fields = [field for field in dataclasses.fields(thing) if field.init] if dataclasses.is_dataclass(thing) else []
    hints = typing.get_type_hints(thing) if fields else {}
    return {
        "parameters": {field.name: field.default for field in fields},
        "types": {field.name: " or ".join(options(hints[field.name])) for field in fields},
    }


def _default(thing: Any, name: str) -> Any:  # noqa: ANN401
    """The attack or defense as its bare name builds it, asked for what only instances know; None without its extra."""
    try:
        return thing()
    except MissingExtra:
        return None
    except Exception as error:
        raise BrokenPlugin(f"{name!r} cannot be built without parameters: {error!r}") from error


_DETAILS: Final[Mapping[str, Callable[[Any, str], dict[str, Any]]]] = {
    "models": _model,
    "attacks": _attack,
    "defenses": _defense,
    "datasets": _parameters,
}
