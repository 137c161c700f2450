"""Option types shared by commands."""

from typing import Any

import click

from robustiqa.core.parameters import parse_eps


class Eps(click.ParamType[float]):
    """ε in [0, 1] units, written ``8/255`` or ``0.03``."""

    name = "eps"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> float:  # noqa: ANN401
        return value if isinstance(value, float) else parse_eps(str(value))


def split_path(text: str) -> tuple[str, str | None]:
    """``NAME=PATH`` or ``NAME``."""
    name, equals, path = text.partition("=")
    return name, path if equals else None
