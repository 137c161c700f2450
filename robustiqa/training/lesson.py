"""What one training step teaches: a loss on a batch, and what is logged of it."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from robustiqa.core.model import QualityModel, Reference
from robustiqa.training.batches import Batch
from robustiqa.training.losses import regression_loss


@dataclass(frozen=True)
class Learner:
    """The model in training, and ``scale``, which maps its scores to labels."""

    model: QualityModel
    scale: nn.Module

    def predict(self, ref: Tensor, dist: Tensor) -> Tensor:
        """Predicted labels [N] of the pairs (``ref``, ``dist``), each [N, 3, H, W] in [0, 1]."""
        return torch.as_tensor(self.scale(self.model(ref, dist)))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        """The same against prepared references; ``dist`` may leave [0, 1]."""
        return torch.as_tensor(self.scale(self.model.compare(reference, dist)))


@dataclass(frozen=True)
class Taught:
    """The outcome of a step's loss.

    Attributes:
        loss: what is descended.
        prediction, label: the labels [M] that were predicted and that were wanted; M may differ from the batch's N.
        passes: forward and backward passes that it took, one crop each, the coming backward pass of the loss included.
        figures: what else is logged.
    """

    loss: Tensor
    prediction: Tensor
    label: Tensor
    passes: int
    figures: dict[str, float] = field(default_factory=dict)


class Lesson(Protocol):
    """The loss of a training step; all that is random in it follows from ``step``."""

    def __call__(self, learner: Learner, batch: Batch, step: int) -> Taught:
        """The loss of ``learner`` on ``batch``, whose gradient is yet to be taken."""

    def passes(self, count: int) -> int:
        """Passes of a batch of ``count`` crops, as planned."""


@dataclass(frozen=True)
class CleanLesson:
    """Regression on images as they are, eq. (6)."""

    alpha: float

    def __call__(self, learner: Learner, batch: Batch, step: int) -> Taught:  # noqa: ARG002
        prediction = learner.predict(batch.ref, batch.dist)
        loss = regression_loss(prediction, batch.label, self.alpha)
        return Taught(loss, prediction, batch.label, self.passes(len(batch.label)))

    def passes(self, count: int) -> int:
        return 2 * count
