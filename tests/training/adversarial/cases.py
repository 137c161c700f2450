"""Toys that adversarial training is tested on: batches, a model that learns, and one that counts its passes."""

import torch
from torch import nn

from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.training.batches import Batch
from robustiqa.training.lesson import Learner


def batch(count=6, side=24, low=2.0, high=3.0):
    """References, distorted images in [0, 1] and labels from ``low`` to ``high``."""
    generator = torch.Generator().manual_seed(count)
    ref = torch.rand(count, 3, side, side, generator=generator)
    dist = (ref + 0.1 * torch.randn(ref.shape, generator=generator)).clamp(0, 1)
    return Batch(ref, dist, torch.linspace(low, high, count))


class Bend(QualityModel):
    """A smooth quality with two parameters; every image that passes is counted, forwards and backwards."""

    info = ModelInfo("bend", lower_better=False, paper="toy")

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(3.0))
        self.base = nn.Parameter(torch.tensor(2.0))
        self.forwards = self.backwards = 0

    def compare(self, reference, dist):
        seen = _Counted.apply(dist, self, self.base)
        wave = torch.linspace(0, 9, dist[0].numel()).sin().view(dist.shape[1:])
        return self.base + torch.tanh(self.gain * ((seen - reference.image) * wave).flatten(1).mean(1) * 20)


class _Counted(torch.autograd.Function):
    """The identity; it hangs on a parameter, so that it has a gradient whatever the image needs."""

    @staticmethod
    def forward(ctx, x, model, _parameter):
        ctx.model, ctx.count = model, len(x)
        model.forwards += len(x)
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.model.backwards += ctx.count
        return gradient, None, None


def learner(model=None):
    """A learner whose scores are labels."""
    return Learner(Bend() if model is None else model, nn.Identity())
