"""Option types shared by commands."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import parse_eps

QUIET = "robustiqa.quiet"  # what a click context remembers of --quiet

if TYPE_CHECKING:
    import torch

    FloatType = click.ParamType[float]
    PlaceType = click.ParamType[Path | str]
else:
    FloatType = PlaceType = click.ParamType  # takes no type before click 8.4


class Eps(FloatType):
    """ε in [0, 1] units, written ``8/255`` or ``0.03``."""

    name = "eps"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> float:  # noqa: ANN401
        return value if isinstance(value, float) else parse_eps(str(value))


class Place(PlaceType):
    """A folder of results, or a URL of an object store as text."""

    name = "place"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Path | str:  # noqa: ANN401
        text = str(value)
        return text if re.match(r"[a-z][a-z0-9+.-]+://", text) else Path(text)


def names(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What a shell completes: names of ``models``, ``attacks``, ``defenses`` or ``datasets``, plug-ins included."""

    def complete(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        from robustiqa.cli.catalogue import CATALOGUES

        return [name for name in CATALOGUES[kind].names() if name.startswith(typed)]

    return complete


def quiet_option(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with ``--quiet``, which :func:`robustiqa.cli.progress.bar` asks for."""
    return click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_remember,
                        help="No progress bar: results, warnings and errors alone.")(command)  # fmt: skip


def _remember(context: click.Context, _option: click.Parameter, quiet: bool) -> None:
    context.meta[QUIET] = quiet


def haste_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with ``--precision`` and ``--compile``."""
    precision = click.option("--precision", type=click.Choice(("fp32", "bf16")), default="fp32", show_default=True,
                             help="bf16: search with bfloat16 convolutions, about 1.7 times as fast where the CPU or "
                                  "GPU has them; what is found is scored in fp32 all the same.")  # fmt: skip
    compiled = click.option("--compile", is_flag=True,
                            help="Compile models for the search (torch.compile): minutes at first, for each size of "
                                 "image; needs a C++ compiler on a CPU.")  # fmt: skip
    return precision(compiled(command))


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
