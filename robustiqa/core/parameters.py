"""Texts of the command line to values: budgets such as ``8/255`` and parameters such as ``jpeg:quality=50``."""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, TypeVar

from robustiqa.core.errors import InvalidInput, UnknownName

T = TypeVar("T")
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d{1,30}/\d{1,30}|(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,3})?)", re.ASCII | re.IGNORECASE
)
_WITH_PARAMETERS: Final = re.compile(
    r"(?P<name>[^:=]+:[a-z_]+=[^=,]+(?:,[a-z_]+=[^=,]+)*)(?:=(?P<path>.*))?", re.DOTALL
)


def parse_eps(text: str) -> float:
    """ε in [0, 1] units from ``"8/255"`` or ``"0.03"``.

    Raises:
        InvalidInput: not a number, or not in (0, 1].
    """
    try:
        value = number(text.strip())
    except (ValueError, ArithmeticError):
        raise InvalidInput(f"eps {text!r} is not a number; write it as 8/255 or 0.03.") from None
    if not 0 < value <= 1:
        hint = f" Did you mean {text}/255?" if 1 < value <= 255 else ""
        raise InvalidInput(f"eps {text!r} is out of (0, 1]: images are in [0, 1].{hint}")
    return value


def number(text: str) -> float:
    """The number that ``8/255``, ``0.03`` or ``1e-3`` spells.

    Raises:
        ValueError, ArithmeticError: it spells none. Exponents of many digits are none: they would fill the memory.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    return float(Fraction(text))


def split_named(text: str) -> tuple[str, dict[str, str]]:
    """``"jpeg:quality=50,apply_to=both"`` to ``("jpeg", {"quality": "50", "apply_to": "both"})``.

    A bare word is the version: ``"autoattack:quick"`` is ``autoattack:version=quick``.
    """
    name, _, rest = text.partition(":")
    parameters = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=") if "=" in part else ("version", "", part)
        if not (key.strip() and value.strip()):
            raise InvalidInput(f"parameter {part!r} of {name!r} has no name or no value; write {name}:PARAMETER=VALUE.")
        parameters[key.strip()] = value.strip()
    return name.strip(), parameters


def split_path(text: str) -> tuple[str, str | None]:
    """``NAME=PATH`` or ``NAME``; the name may have parameters (``csv:lower_better=true=PATH``) or be ``derived:``."""
    if text.startswith("derived:"):
        name, rest = split_path(text.removeprefix("derived:"))
        return f"derived:{name}", rest
    if match := _WITH_PARAMETERS.fullmatch(text):
        return match["name"], match["path"]
    name, equals, path = text.partition("=")
    return name, path if equals else None


def build(cls: type[T], parameters: Mapping[str, object]) -> T:
    """An instance of the dataclass ``cls``; texts are converted to the types of its fields.

    Raises:
        UnknownName: a parameter that ``cls`` has not got.
        InvalidInput: a text that is not of the field's type.
    """
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    for name in parameters:
        if name not in fields:
            raise UnknownName(f"parameter of {cls.__name__}", name, fields)
    values = {name: convert(name, value, hints[name]) for name, value in parameters.items()}
    return cls(**values)


def spelled(name: str, thing: Any) -> str:  # noqa: ANN401 (any dataclass of parameters)
    """``name`` with those fields of the dataclass ``thing`` that differ from their defaults, as it can be typed again.

    A field called ``version`` is always shown, as a bare word: ``autoattack:quick``.
    """
    parts: list[str] = []
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if field.name == "version":
            parts.insert(0, str(value))
        elif value != field.default:
            parts.append(f"{field.name}={typed(value)}")
    return f"{name}:{','.join(parts)}" if parts else name


def typed(value: object) -> str:
    """A value as one would type it: multiples of 1/255 as such unless a decimal is exact, words in lower case."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    if 0 < value < 1 and float(f"{value:g}") != value == round(value * 255) / 255:
        return f"{round(value * 255)}/255"
    return f"{value:g}" if float(f"{value:g}") == value else str(value)


def convert(name: str, value: object, hint: Any) -> Any:  # noqa: ANN401 (a type hint has no narrower type)
    """``value``, or, where it is a text and ``hint`` is not ``str``, the value that the text spells."""
    if not isinstance(value, str) or hint is str:
        return value
    for option in _options(hint):
        try:
            return _read(value, option)
        except (ValueError, ArithmeticError):  # 1/0 and 1e400 are spelled like numbers
            continue
    if typing.get_origin(hint) is typing.Literal:
        raise InvalidInput(f"{name}={value!r} is not one of {', '.join(options(hint))}.")
    raise InvalidInput(f"{name}={value!r} is not of type {' or '.join(options(hint))}.")


def options(hint: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What a parameter with this type hint may be: names of types, or the values themselves."""
    return tuple(_option_text(option) for option in _options(hint))


def _option_text(option: Any) -> str:  # noqa: ANN401
    if option is types.NoneType:
        return "none"
    return option.__name__ if isinstance(option, type) else typed(option)


def _options(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return typing.get_args(hint)
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else (hint,)


def _read(text: str, option: Any) -> object:  # noqa: ANN401
    if option is float:
        return number(text)
    if option is bool and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if isinstance(option, bool) and text.lower() == str(option).lower():
        return option
    if option is types.NoneType and text.lower() == "none":
        return None
    if option is int or option is str:
        return option(text)
    if isinstance(option, str) and text == option:
        return text
    raise ValueError(text)
