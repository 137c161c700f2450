"""Small models and datasets whose right answers are known."""

from dataclasses import dataclass, field

import torch
from torch import nn

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.datasets.base import Pair, PairDataset


class Linear(QualityModel):
    """score = sum of w * dist over pixels, with fixed w of random sign: the best point of a ball is a corner."""

    info = ModelInfo("linear", lower_better=False, paper="toy")

    def weights(self, dist):
        size = dist.shape[1:]
        return torch.linspace(-1, 1, size.numel(), dtype=dist.dtype).sin().roll(7).view(size)

    def compare(self, reference: Reference, dist):
        return (dist * self.weights(dist)).flatten(1).sum(1)


class Wavy(QualityModel):
    """A distance with many local optima."""

    info = ModelInfo("wavy", lower_better=True, paper="toy")

    def compare(self, reference: Reference, dist):
        d = (dist - reference.image) * 40
        return (d**2 / 50 + 1 - torch.cos(d + reference.image * 9)).flatten(1).sum(1)


class Cliff(QualityModel):
    """The mean of the image; score and gradient are NaN where it exceeds one half, and sound below."""

    info = ModelInfo("cliff", lower_better=False, paper="toy")

    def compare(self, reference: Reference, dist):
        mean = dist.flatten(1).mean(1)
        return mean * torch.where(mean > 0.5, torch.nan, 1.0)


class Constant(QualityModel):
    """The same score for everything: its gradient is zero."""

    info = ModelInfo("constant", lower_better=False, paper="toy")

    def compare(self, reference: Reference, dist):
        return dist.flatten(1).sum(1) * 0


class Jittered(Linear):
    """A linear score plus one standard normal draw per sample, and a gradient that is off by it."""

    info = ModelInfo("jittered", lower_better=False, paper="toy", deterministic=False, eot=4)

    def compare(self, reference: Reference, dist):
        noise = torch.stack([torch.randn((), generator=generator) for generator in reference.generators()])
        return super().compare(reference, dist) + noise * (1 + dist.flatten(1).mean(1))


class Net(QualityModel):
    """A distance between features of one layer, with what it was called in noted."""

    info = ModelInfo("net", lower_better=True, paper="toy")

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.layer = nn.Conv2d(3, 16, 3, padding=1)
        self.layer.weight = nn.Parameter(0.3 * torch.randn(16, 3, 3, 3, generator=generator))
        self.dtypes = []

    def prepare(self, ref):
        return Reference(ref, (self._features(ref),))

    def compare(self, reference, dist):
        return ((reference.features[0].float() - self._features(dist).float()) ** 2).flatten(1).mean(1)

    def feature_layers(self, reference, dist):
        return (self._features(dist),)

    def _features(self, image):
        features = self.layer(image).relu()
        self.dtypes.append(features.dtype)
        return features


@dataclass(frozen=True)
class Memory(PairDataset):
    """Random 24 x 24 images on the 8-bit grid; those of high levels are brighter than one half."""

    reads: list = field(default_factory=list, compare=False)

    def images(self, pair):
        self.reads.append(pair.id)
        generator = torch.Generator().manual_seed(int(pair.id))
        ref = torch.randint(0, 256, (3, 24, 24), generator=generator).float() / 255
        dist = (ref + 0.1 * int(pair.level) * torch.rand(3, 24, 24, generator=generator)).clamp(0, 1)
        return ref, (dist * 255).round() / 255


def memory(count=8):
    """``count`` pairs of two references; quality falls with the level."""
    pairs = tuple(Pair(str(i), f"r{i % 2}", f"type-{i % 3}", 5.0 - (i % 4) - i / 100, i % 4) for i in range(count))
    return Memory("memory", pairs, higher_better=True, human_score="toy", labels="toy")
