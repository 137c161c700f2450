"""Suites: TOML files that say what to run. Data only, checked key by key; nothing in them is evaluated."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.calibration import calibration
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.parameters import parse_eps, split_named, split_path
from robustiqa.core.toml_lines import line_of
from robustiqa.datasets import DATASETS, DERIVED
from robustiqa.defenses import load_defense
from robustiqa.models import MODELS
from robustiqa.models.from_file import is_file

NONE: Final = "none"
DIRECTIONS: Final = ("up", "down", "tomean", "random")
THREATS: Final = ("adaptive", "oblivious")


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """A text that ``check`` takes; what it raises says what is wrong."""

    def run(text: str) -> str:
        check(text)
        return text

    return AfterValidator(run)


def _known_model(text: str) -> None:
    if not is_file(text) and split_named(text)[0] not in MODELS.names():
        raise UnknownName("model", split_named(text)[0], MODELS.names())


def _known_defense(text: str) -> None:
    if text != NONE:
        load_defense(text)


def _known_dataset(text: str) -> None:
    name = split_named(split_path(text)[0].removeprefix(DERIVED))[0]
    if name not in DATASETS.names():
        raise UnknownName("dataset", name, DATASETS.names())


def _known_direction(text: str) -> None:
    if text not in DIRECTIONS:
        raise UnknownName("direction", text, DIRECTIONS)


def _known_threat(text: str) -> None:
    if text not in THREATS:
        raise UnknownName("threat", text, THREATS)


Count = Annotated[int, Field(ge=1)]
Models = Annotated[list[Annotated[str, _checked(_known_model)]], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Run(_Strict):
    """One table ``[[run]]``: every model x defense x attack x dataset x ε, spelled as on the command line.

    Without attacks clean scores of whole images alone. ``crop`` is 0 for whole images. ``eps`` are by default 8/255,
    with ``calibrate`` the largest radius that it looks at.
    """

    models: Models
    datasets: Annotated[list[Annotated[str, _checked(_known_dataset)]], Field(min_length=1)]
    defenses: Annotated[list[Annotated[str, _checked(_known_defense)]], Field(min_length=1)] = [NONE]
    attacks: list[Annotated[str, _checked(load_attack)]] = []
    eps: list[Annotated[str, _checked(parse_eps)]] = []
    directions: Annotated[list[Annotated[str, _checked(_known_direction)]], Field(min_length=1)] = ["up", "tomean"]
    threat: Annotated[str, _checked(_known_threat)] = "adaptive"
    limit: Count | None = None
    crop: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0)] = 0
    eot: Count | None = None
    max_queries: Count | None = None
    max_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    calibrate: Annotated[str, _checked(calibration)] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    compile: bool = False


class Suite(_Strict):
    """A file of runs.

    Attributes:
        title: what the runs are for, in a line.
        save_images, judges: as on the command line; ``judges`` left out stands for the usual ones.
    """

    title: str
    run: Annotated[list[Run], Field(min_length=1)]
    save_images: bool = False
    judges: list[Annotated[str, _checked(_known_model)]] | None = None


def load_suite(path: Path, replaced: Mapping[str, Any] | None = None) -> Suite:
    """The suite in a TOML file.

    Args:
        replaced: keys of runs with values that all runs have instead of their own.

    Raises:
        InvalidInput: no such file, not TOML, or keys or values that it cannot have; one line for each, which names the
            file, the line, the key, what is allowed and the nearest name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"suite {path} cannot be read ({error}); benchmarks/ of the project has some.") from error
    try:
        content = tomllib.loads(text)
        for one in _runs(content):
            one.update(replaced or {})
        return Suite.model_validate(content)
    except ValidationError as error:
        raise InvalidInput("\n".join(_faults(path, text, error))) from error
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits, thousands of brackets
        raise InvalidInput(f"{path}: not TOML: {error}.") from error


def _runs(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tables of runs, as far as there are any."""
    runs = content.get("run", [])
    return [one for one in runs if isinstance(one, dict)] if isinstance(runs, list) else []


def _faults(path: Path, text: str, error: ValidationError) -> Iterator[str]:
    located = [(line_of(text, fault["loc"]), fault) for fault in error.errors()]
    for line, fault in sorted(located, key=lambda item: item[0]):
        yield f"{path}:{line}: {_spelled(fault['loc'])}: {_reason(fault)}"


def _spelled(place: tuple[int | str, ...]) -> str:
    """Such as ``run 2, eps``; runs are counted from 1, positions within a list are told by the value."""
    if place[:1] == ("run",) and len(place) > 1:
        return f"run {int(place[1]) + 1}" + (f", {place[2]}" if len(place) > 2 else "")
    return str(place[0]) if place else "suite"


def _reason(fault: Any) -> str:  # noqa: ANN401 (pydantic's ErrorDetails)
    value, place = fault["input"], fault["loc"]
    if fault["type"] == "extra_forbidden":
        known = (Run if place[:1] == ("run",) and len(place) > 2 else Suite).model_fields
        return _unknown_key(str(place[-1]), list(known))
    if fault["type"] == "missing":
        return "this key is missing."
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return f"{fault['msg']}, not {value!r}."


def _unknown_key(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown key.{hint} Known: {', '.join(known)}."
