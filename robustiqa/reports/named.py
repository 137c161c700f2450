"""Layouts by name, each the function ``layout`` of a module of that name, imported when it is asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from robustiqa.core.errors import UnknownName


def named_layout(kind: str, name: str, known: Mapping[str, str], package: str) -> Any:  # noqa: ANN401 (the caller's type)
    """``package.NAME.layout``.

    Raises:
        UnknownName: ``name`` is not one of ``known``; ``kind`` says what was looked for.
    """
    if name not in known:
        raise UnknownName(kind, name, known)
    return import_module(f"{package}.{name}").layout
