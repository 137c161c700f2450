"""Two-alternative forced choice: which of two distorted images is nearer to the reference, and what people said."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Final, Self

from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.base import Pair, PairDataset

DERIVED: Final = "derived-"  # begins the name of a dataset whose comparisons nobody made


@dataclass(frozen=True)
class Triplet:
    """Two images of one reference, ``p0`` and ``p1`` (ids of pairs), and the share of people who preferred ``p1``.

    Attributes:
        preference: h in [0, 1]: 0 when all preferred p0, 1 when all preferred p1.
        kind: what the images went through, such as BAPPS' ``cnn``.
    """

    id: str
    reference: str
    p0: str
    p1: str
    preference: float
    kind: str


@dataclass(frozen=True)
class TripletDataset(PairDataset):
    """Comparisons over pairs; every distorted image is one pair, however many comparisons it is in.

    Attributes:
        triplets: in a fixed order; the first n of them are what ``--limit n`` takes.
        judgement: where the preferences come from, in words.
        source: the same pairs as a dataset of their own, which reads the images and under whose name they are scored.
        derived: nobody was asked to choose; the preferences follow from the pairs' scores.
    """

    triplets: tuple[Triplet, ...]
    judgement: str
    source: PairDataset
    derived: bool = field(default=False, kw_only=True)

    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        return self.source.images(pair)

    def fingerprint(self, pair: Pair) -> str:
        return self.source.fingerprint(pair)

    @cached_property
    def rivals(self) -> dict[str, tuple[tuple[str, float], ...]]:
        """For each p0, by pair id, the p1 of its comparisons and the share of people who preferred those."""
        found: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for triplet in self.triplets:
            found[triplet.p0].append((triplet.p1, triplet.preference))
        return {name: tuple(rivals) for name, rivals in found.items()}

    def trio(self, triplet: Triplet) -> tuple[Tensor, Tensor, Tensor]:
        """Reference, p0 and p1 of a triplet, float32 [3, H, W] in [0, 1]."""
        reference, first = self.images(self._by_id[triplet.p0])
        return reference, first, self.images(self._by_id[triplet.p1])[1]

    @cached_property
    def _by_id(self) -> dict[str, Pair]:
        return {pair.id: pair for pair in self.pairs}

    def limited(self, limit: int | None) -> Self:
        """The first ``limit`` triplets and the pairs they are about (all of them for None)."""
        if limit is None:
            return self
        chosen = self.triplets[:limit]
        wanted = {side for triplet in chosen for side in (triplet.p0, triplet.p1)}
        return replace(self, triplets=chosen, pairs=tuple(pair for pair in self.pairs if pair.id in wanted))


def shares(triplets: Sequence[Triplet]) -> dict[str, float]:
    """Mean share of people who preferred an image over its rivals, by pair id: its human score among them."""
    votes: dict[str, list[float]] = defaultdict(list)
    for triplet in triplets:
        votes[triplet.p0].append(1 - triplet.preference)
        votes[triplet.p1].append(triplet.preference)
    return {name: sum(values) / len(values) for name, values in votes.items()}


def derived_triplets(dataset: PairDataset) -> TripletDataset:
    """All pairs of images of one reference whose human scores differ, preferring the better one with h of 0 or 1.

    Shown as ``derived-NAME``: nobody was asked to choose, the order follows from scores given to each image alone. Two
    images of equal score say nothing of an order and make no triplet.

    Raises:
        InvalidInput: no two images share a reference and differ in score.
    """
    if isinstance(dataset, TripletDataset):
        raise InvalidInput(f"{dataset.name} has comparisons of its own; derive triplets from a dataset of scores.")
    groups: dict[str, list[tuple[Pair, float]]] = defaultdict(list)
    for pair, quality in zip(dataset.pairs, dataset.quality().tolist(), strict=True):
        groups[pair.reference].append((pair, quality))
    triplets = tuple(
        Triplet(f"{a.id} | {b.id}", reference, a.id, b.id, float(qb > qa), _kind(a, b))
        for reference, group in groups.items()
        for (a, qa), (b, qb) in combinations(group, 2)
        if qa != qb
    )
    if not triplets:
        raise InvalidInput(f"{dataset.name}: no two images of one reference differ in score; nothing to derive.")
    return TripletDataset(f"{DERIVED}{dataset.name}", dataset.pairs, dataset.higher_better, dataset.human_score,
                          dataset.labels, triplets, f"order of {dataset.human_score} within a reference", dataset,
                          score_range=dataset.score_range, derived=True)  # fmt: skip


def _kind(a: Pair, b: Pair) -> str:
    return "within type" if a.distortion == b.distortion else "across types"
