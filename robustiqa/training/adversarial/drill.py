"""What every adversarial loss gets to see, and the face of such losses."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.statistics.anchored import Anchoring
from robustiqa.training.batches import Batch
from robustiqa.training.lesson import Learner, Taught


@dataclass(frozen=True)
class Drill:
    """A batch after the inner attack.

    Attributes:
        batch: references, images before the attack, and labels of N crops.
        seen: the images after it [N, 3, S, S]; anchors and, without an inner attack, all images are as they were.
        anchors: which stayed clean [N].
    """

    batch: Batch
    seen: Tensor
    anchors: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return len(self.batch.label)

    def theorem(self, prediction: Tensor) -> dict[str, float]:
        """Eq. (3), the largest error and both bounds of Theorem 1 for ``prediction`` [N]; nothing without anchors."""
        if not self.anchors.any():
            return {}
        labels, predicted = (values.detach().double().numpy(force=True) for values in (self.batch.label, prediction))
        measured = Anchoring.of(labels, predicted, np.flatnonzero(self.anchors))
        return {
            "anchored_loss": measured.loss,
            "max_error": measured.error,
            "bound_paper": measured.bound_paper,
            "bound_corrected": measured.bound_corrected,
            "conditions_hold": float(measured.conditions_hold),
        }

    @property
    def mask(self) -> Tensor:
        """``anchors`` as a tensor beside the labels."""
        return torch.from_numpy(self.anchors).to(self.batch.label.device)


class AdversarialLoss(Protocol):
    """A loss of a recipe's table ``[loss]``; ``alpha`` weighs MSE in eq. (6)."""

    def __call__(self, learner: Learner, drill: Drill, alpha: float) -> Taught:
        """The loss of a batch after the inner attack; its passes are counted without those of that attack."""

    def passes(self, count: int) -> int:
        """Passes of a batch of ``count`` crops, likewise."""
