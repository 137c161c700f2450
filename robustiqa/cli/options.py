"""Option types shared by commands."""

import re
from typing import TYPE_CHECKING, Any, Final

import click

from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import parse_eps

if TYPE_CHECKING:
    import torch

_WITH_PARAMETERS: Final = re.compile(
    r"(?P<name>[^:=]+:[a-z_]+=[^=,]+(?:,[a-z_]+=[^=,]+)*)(?:=(?P<path>.*))?", re.DOTALL
)


class Eps(click.ParamType[float]):
    """ε in [0, 1] units, written ``8/255`` or ``0.03``."""

    name = "eps"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> float:  # noqa: ANN401
        return value if isinstance(value, float) else parse_eps(str(value))


def split_path(text: str) -> tuple[str, str | None]:
    """``NAME=PATH`` or ``NAME``; the name may have parameters (``csv:lower_better=true=PATH``) or be ``derived:``."""
    if text.startswith("derived:"):
        name, rest = split_path(text.removeprefix("derived:"))
        return f"derived:{name}", rest
    if match := _WITH_PARAMETERS.fullmatch(text):
        return match["name"], match["path"]
    name, equals, path = text.partition("=")
    return name, path if equals else None


def torch_device(name: str) -> "torch.device":
    """A device that works here.

    Raises:
        InvalidInput: torch knows no such device, or cannot use it.
    """
    import torch

    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidInput(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device


def image_size(text: str) -> tuple[int, int]:
    """Width and height in pixels from ``WIDTHxHEIGHT``."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if match is None:
        raise InvalidInput(f"size {text!r} is not WIDTHxHEIGHT in pixels; write it as 1920x1080.")
    return int(match[1]), int(match[2])
