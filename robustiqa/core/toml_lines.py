"""Where in a TOML file something stands, so that an error can say it: tomllib keeps no positions."""

import tomllib
from collections.abc import Sequence
from typing import Any

Place = Sequence[str | int]


def line_of(text: str, place: Place) -> int:
    """The line, from 1, at which the statement or table begins that gives ``place`` of a sound TOML text its value.

    ``place`` is a path of keys and positions, such as ``("run", 1, "eps", 0)``; of one that is not there, the nearest
    table that should hold it. Every beginning of the text that is TOML itself is read, until one holds the place.
    """
    lines = text.splitlines()
    while place and not _holds(tomllib.loads(text), place):
        place = place[:-1]
    begun = 1
    for count in range(len(lines) + 1):
        try:
            content = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # within a value of several lines
        if _holds(content, place):
            return begun
        begun = count + 1
    return 1


def _holds(content: Any, place: Place) -> bool:  # noqa: ANN401 (any TOML value)
    for key in place:
        if isinstance(content, dict):
            if key not in content:
                return False
        elif not isinstance(content, list) or not isinstance(key, int) or key >= len(content):
            return False
        content = content[key]
    return True
