"""Training state that survives a kill: weights, their running average, the optimiser, the scale and the step."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically


@dataclass
class State:
    """A run in progress; ``average`` is the exponential moving average of ``model``'s weights.

    ``scale`` maps scores to labels, for the loss. ``running`` holds totals and moving averages of the log by name.
    ``subject`` says of which run this is; another run's checkpoint is refused.
    """

    model: nn.Module
    average: nn.Module
    optimizer: Optimizer
    step: int = 0
    scale: nn.Module = field(default_factory=nn.Identity)
    running: dict[str, float] = field(default_factory=dict)
    subject: str = ""

    def save(self, path: Path) -> None:
        buffer = io.BytesIO()
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scale": self.scale.state_dict(),
                "step": self.step,
                "running": self.running,
                "subject": self.subject,
            },
            buffer,
        )
        write_atomically(path, buffer.getvalue())

    def resume(self, path: Path) -> None:
        """Continue from ``path`` if it exists; its tensors are read without unpickling code.

        Raises:
            InvalidInput: it is the checkpoint of another run, or none.
        """
        if not path.exists():
            return
        try:
            content = torch.load(path, weights_only=True, map_location="cpu")
        except Exception as error:  # zipfile's, pickle's, torch's own: all say that this is no such file
            raise InvalidInput(
                f"{path} is damaged, or no checkpoint of a training ({type(error).__name__}); give another --out, or "
                "remove it to begin anew."
            ) from error
        if content.get("subject", self.subject) != self.subject:
            raise InvalidInput(
                f"{path} is the checkpoint of a run with another recipe, seed, start or set of photographs; "
                "give another --out, or remove it to begin anew."
            )
        self.model.load_state_dict(content["model"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scale.load_state_dict(content.get("scale", {}))  # none in checkpoints of version 0.1
        self.step = content["step"]
        self.running = content.get("running", {})  # nor these

    def add(self, name: str, amount: float) -> float:
        """The running total ``name``, with ``amount`` added."""
        self.running[name] = self.running.get(name, 0.0) + amount
        return self.running[name]

    def smooth(self, name: str, value: float, window: int) -> float:
        """The exponential moving average ``name`` over ``window`` steps, moved towards ``value``."""
        before = self.running.get(name, value)
        self.running[name] = before + 2 / (window + 1) * (value - before)
        return self.running[name]

    def update_average(self, decay: float) -> None:
        """Move the average towards the weights; faster in the first steps, when the weights are still random."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(weight, 1 - decay)
