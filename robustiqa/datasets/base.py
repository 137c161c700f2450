"""What a dataset is: pairs with reference ids and human scores, and a way to read their pixels."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.core.errors import InvalidInput


@dataclass(frozen=True)
class Pair:
    """One distorted image: its id, its reference's id, its distortion, and its human score in the dataset's scale.

    ``split`` is the part that the dataset's authors put it in (``train``, ``val``, ``test``), None where they did not.
    """

    id: str
    reference: str
    distortion: str
    human: float
    level: float | None = None
    split: str | None = None


@dataclass(frozen=True)
class PairDataset(ABC):
    """Pairs of one published layout.

    Attributes:
        name: as shown in reports, such as ``live-subset``.
        pairs: in a fixed order; the first n of them are what ``--limit n`` takes.
        higher_better: whether a higher human score means better quality.
        human_score: what the score is, in words.
        labels: where the labels come from; a model trained on the same ones is flagged.
        score_range: the lowest and highest score of the published scale; None where it is not known.
    """

    name: str
    pairs: tuple[Pair, ...]
    higher_better: bool
    human_score: str
    labels: str
    score_range: tuple[float, float] | None = field(default=None, kw_only=True)

    @abstractmethod
    def images(self, pair: Pair) -> tuple[Tensor, Tensor]:
        """Reference and distorted image of a pair, float32 [3, H, W] in [0, 1].

        Raises:
            UnreadableImage: a file is missing or broken.
        """

    def fingerprint(self, pair: Pair) -> str:  # noqa: ARG002 (of datasets that have files)
        """Digest of the files that a pair's images are read from; empty where they do not come from the user's files.

        A row keeps it, so that a run is not continued on images that were changed meanwhile.

        Raises:
            OSError: a file cannot be read.
        """
        return ""

    def limited(self, limit: int | None) -> Self:
        """The first ``limit`` pairs (all of them for None)."""
        return self if limit is None else replace(self, pairs=self.pairs[:limit])

    def quality(self) -> NDArray[np.float64]:
        """Human scores [n], oriented so that higher is better."""
        sign = 1 if self.higher_better else -1
        return np.array([sign * pair.human for pair in self.pairs])

    def unit_quality(self) -> NDArray[np.float64]:
        """Human scores [n] mapped linearly so that 0 is the worst of the published scale and 1 the best.

        LIVE's realigned DMOS leave its nominal scale by a few points, and so does what is returned for them.

        Raises:
            InvalidInput: the dataset declares no range.
        """
        if self.score_range is None:
            raise InvalidInput(f"dataset {self.name} declares no range of scores; use quality().")
        low, high = self.score_range
        share = (np.array([pair.human for pair in self.pairs]) - low) / (high - low)
        return share if self.higher_better else 1 - share

    def manifest(self) -> str:
        """sha256 of names, scores and distortions of all pairs."""
        rows = [[p.id, p.reference, p.distortion, p.level, p.human] for p in self.pairs]
        return hashlib.sha256(json.dumps([self.name, rows]).encode()).hexdigest()


def references(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Distinct reference ids, sorted."""
    return tuple(sorted({pair.reference for pair in pairs}))
