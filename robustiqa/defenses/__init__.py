"""Defenses by name. None is built in yet; plug-ins register under the entry-point group ``robustiqa.defenses``."""

from typing import TYPE_CHECKING, Final

from robustiqa.core.parameters import build, split_named
from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.defenses.base import Defense

DEFENSES: Final[Registry[type["Defense"]]] = Registry("defense", "robustiqa.defenses", {})


def load_defense(text: str) -> "Defense":
    """The defense spelled ``name`` or ``name:parameter=value,...``.

    Raises:
        UnknownName: no such defense or parameter (with the nearest name).
    """
    name, parameters = split_named(text)
    return build(DEFENSES.get(name), parameters)
