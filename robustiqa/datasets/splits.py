"""Splits that are disjoint by reference image, and the check that they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import derive_seed
from robustiqa.datasets.base import Pair, references

PARTS: Final = (6, 2, 2)
NAMES: Final = ("train", "val", "test")
MIN_REFERENCES: Final = 5  # with fewer a part would be empty


@dataclass(frozen=True)
class Split:
    """References in three parts that share none; ``name`` is ``official`` or the seed of a random one.

    Raises:
        InvalidInput: two parts share a reference, or train or test is empty.
    """

    name: str
    train: frozenset[str]
    val: frozenset[str]
    test: frozenset[str]

    def __post_init__(self) -> None:
        check_disjoint(train=self.train, val=self.val, test=self.test)
        if not (self.train and self.test):
            raise InvalidInput(f"split {self.name} leaves {'test' if self.train else 'train'} without a reference.")

    def part(self, reference: str) -> str:
        """``train``, ``val`` or ``test``; empty for a reference that the split leaves out."""
        return next((name for name in NAMES if reference in getattr(self, name)), "")


def splits_of(pairs: Sequence[Pair], repeats: int = 10, seed: int = 0) -> list[Split]:
    """The authors' split where the pairs carry one, else ``repeats`` random ones, 6:2:2 by reference.

    Which reference lands where follows from ``seed``, the number of the repeat and the names alone.

    Raises:
        InvalidInput: an official split that shares references, or fewer than five references to distribute.
    """
    if {"train", "test"} <= {pair.split for pair in pairs}:
        official = {name: frozenset(pair.reference for pair in pairs if pair.split == name) for name in NAMES}
        return [Split("official", **official)]
    names = references(pairs)
    if len(names) < MIN_REFERENCES:
        raise InvalidInput(f"{len(names)} references cannot be split 6:2:2; {MIN_REFERENCES} or more are needed.")
    return [
        Split(str(seed + k), *map(frozenset, split_by_reference(names, PARTS, seed + k))) for k in range(repeats)
    ]


TRAINING_PARTS: Final = (60.0, 20.0, 21.0)  # of photographs, into NAMES, as `robustiqa train` splits them


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
    for part, names in parts.items():
        for name in set(names):
            if seen.setdefault(name, part) != part:
                raise InvalidInput(f"reference {name!r} is in both {seen[name]} and {part}; split by reference.")
