"""Several defenses in a row: ``jpeg+flip`` is JPEG first, then a flip, then the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.defenses.base import Defense
from robustiqa.defenses.purifiers.base import Purifier


@dataclass(frozen=True)
class Composition(Defense):
    """Defenses in the order in which an image meets them; one that changes the model itself must come first."""

    name: ClassVar[str] = "composition"

    parts: tuple[Defense, ...]

    def __post_init__(self) -> None:
        for part in self.parts[1:]:
            if not isinstance(part, Purifier):
                raise InvalidInput(f"defense {part.name!r} changes the model itself; write it first, before purifiers.")

    def apply(self, model: QualityModel) -> QualityModel:
        """The model as the first part makes it, behind the purifiers; the last of them stands next to it."""
        first, *rest = self.parts
        purifiers: Sequence[Defense] = rest if not isinstance(first, Purifier) else self.parts
        base = model if isinstance(first, Purifier) else first.apply(model)
        return reduce(lambda inner, part: part.apply(inner), reversed(purifiers), base)


def compose(parts: Sequence[Defense]) -> Defense:
    """The one defense of ``parts``, or their composition."""
    return parts[0] if len(parts) == 1 else Composition(tuple(parts))
