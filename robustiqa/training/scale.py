"""Scores to labels, inside the loss alone: a distance learns from labels between 1 and 5 and stays a distance."""

import torch
from torch import Tensor, nn

from robustiqa.training.batches import Batches

FIRST_BATCHES = 4


class LabelScale(nn.Module):
    """label = offset + exp(log_slope) * orientation * score, learned beside the model and thrown away after training.

    The slope is positive, so that a model can only fit labels in the direction that it declares.
    """

    def __init__(self, orientation: int) -> None:
        super().__init__()
        self.orientation = orientation
        self.log_slope = nn.Parameter(torch.zeros(()))
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, score: Tensor) -> Tensor:
        return self.offset + self.log_slope.exp() * self.orientation * score

    def fit(self, model: nn.Module, sampler: Batches) -> "LabelScale":
        """Start where mean and deviation over the first batches are those of their labels."""
        batches = [sampler.batch(step) for step in range(FIRST_BATCHES)]
        with torch.no_grad():
            quality = torch.cat([self.orientation * model(batch.ref, batch.dist) for batch in batches])
            label = torch.cat([batch.label for batch in batches])
            slope = (label.std() / quality.std().clamp_min(1e-6)).clamp_min(1e-6)
            self.log_slope.copy_(slope.log())
            self.offset.copy_(label.mean() - slope * quality.mean())
        return self
