"""Splits that are disjoint by reference image, and the check that they are."""

from collections.abc import Iterable, Sequence

from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import derive_seed


def split_by_reference(references: Iterable[str], parts: Sequence[float], seed: int = 0) -> list[list[str]]:
    """Distribute reference names over parts in the given proportions, in an order that ``seed`` alone decides.

    Adding a reference moves at most the borders between parts: each name's place follows from its own hash.
    """
    names = sorted(set(references), key=lambda name: derive_seed("split", seed, name))
    total, borders, start = sum(parts), [], 0
    for end in range(1, len(parts) + 1):
        stop = round(len(names) * sum(parts[:end]) / total)
        borders.append(sorted(names[start:stop]))
        start = stop
    return borders


def check_disjoint(**parts: Iterable[str]) -> None:
    """Refuse parts that share a reference.

    Raises:
        InvalidInput: names both parts and the shared references.
    """
    seen: dict[str, str] = {}
    for part, references in parts.items():
        for name in set(references):
            if seen.setdefault(name, part) != part:
                raise InvalidInput(f"reference {name!r} is in both {seen[name]} and {part}; split by reference.")
