"""Which images of a batch stay clean, and how narrow a band of labels it is drawn from (BiRQA paper, section 3.4)."""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from robustiqa.training.settings import Positive, Share, Strict

SLACK = 1e-9  # of a label: gaps are met up to rounding


class BatchPolicy(Strict):
    """How batches are put together; by default every image is attacked, whatever its label.

    Attributes:
        clean: share of the images that stay clean: the anchors, where the loss has a use for them.
        band: width of the interval of labels that each batch is drawn from; None for all labels.
        anchors: which images stay clean: a ``random`` subset, or ``spaced`` as in Algorithm 1: from the lowest label
            to the highest in gaps of at most ``gap``, then others at random until the share is filled.
        gap: lambda, in labels.
    """

    clean: Share = 0.0
    band: Positive | None = None
    anchors: Literal["random", "spaced"] = "random"
    gap: Positive = 0.5

    @model_validator(mode="after")
    def _spaced_needs_a_band(self) -> Self:
        if self.anchors == "spaced" and (self.band is None or self.clean == 0):
            raise ValueError("spaced anchors need a band, and a share of clean images; set both")
        return self

    def kept(self, count: int) -> int:
        """How many of ``count`` images stay clean; where anchors are spaced, at least what covers the band."""
        return round(self.clean * count)

    def needed(self) -> int:
        """How many anchors cover a whole band in gaps of ``gap``."""
        return 1 + int(np.ceil((self.band or 0.0) / self.gap - SLACK))

    def anchored(self, labels: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which of the images with ``labels`` [N] stay clean."""
        kept = self.kept(len(labels))
        chosen = np.zeros(len(labels), bool)
        if self.anchors == "spaced":
            chosen[spaced(labels, self.gap)] = True
        others = rng.permutation(np.flatnonzero(~chosen))
        chosen[others[: max(0, kept - int(chosen.sum()))]] = True
        return chosen


def spaced(labels: NDArray[np.float64], gap: float) -> list[int]:
    """The fewest indices from the lowest of ``labels`` [N] to the highest whose neighbours differ by at most ``gap``.

    Where two neighbouring labels are further apart than that, both are taken.
    """
    order = np.argsort(labels, kind="stable")
    values, last = labels[order], 0
    taken = [int(order[0])]
    while values[last] < values[-1]:
        reach = int(np.searchsorted(values, values[last] + gap + SLACK, side="right")) - 1
        last = reach if reach > last else last + 1
        taken.append(int(order[last]))
    return taken
