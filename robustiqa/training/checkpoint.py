"""Training state that survives a kill: weights, their running average, the optimiser, the scale and the step."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from robustiqa.core.files import write_atomically


@dataclass
class State:
    """A run in progress; ``average`` is the exponential moving average of ``model``'s weights.

    ``scale`` maps scores to labels, for the loss.
    """

    model: nn.Module
    average: nn.Module
    optimizer: Optimizer
    step: int = 0
    scale: nn.Module = field(default_factory=nn.Identity)

    def save(self, path: Path) -> None:
        buffer = io.BytesIO()
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scale": self.scale.state_dict(),
                "step": self.step,
            },
            buffer,
        )
        write_atomically(path, buffer.getvalue())

    def resume(self, path: Path) -> None:
        """Continue from ``path`` if it exists; its tensors are read without unpickling code."""
        if not path.exists():
            return
        content = torch.load(path, weights_only=True, map_location="cpu")
        self.model.load_state_dict(content["model"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scale.load_state_dict(content.get("scale", {}))  # none in checkpoints of version 0.1
        self.step = content["step"]

    def update_average(self, decay: float) -> None:
        """Move the average towards the weights; faster in the first steps, when the weights are still random."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(weight, 1 - decay)
