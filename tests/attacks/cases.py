"""Images, models and counters that the tests of the attacks share."""

import torch

from robustiqa.attacks import load_attack
from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.core.objective import Objective

EPS = 8 / 255


def images(count=3, size=10, seed=0):
    """References and distorted images on the 8-bit grid."""
    generator = torch.Generator().manual_seed(seed)
    ref, dist = (torch.randint(0, 256, (count, 3, size, size), generator=generator).float() / 255 for _ in range(2))
    return ref, dist


def attack(text, model, ref, dist, direction="up", seed=0, eps=EPS):
    return load_attack(text).run(Objective(model, ref, direction), dist, eps, seed)


class Quadratic(QualityModel):
    """A distance whose best point of a ball is known: the reference, projected."""

    info = ModelInfo("quadratic", lower_better=True, paper="toy")

    def compare(self, reference: Reference, dist):
        return ((dist - reference.image) ** 2).flatten(1).sum(1)


class Watched(QualityModel):
    """Another model, with every image that it saw and every gradient that was taken."""

    def __init__(self, model):
        super().__init__()
        self.model, self.info, self.seen, self.backwards = model, model.info, [], 0

    def compare(self, reference: Reference, dist):
        self.seen.append(dist.detach().clone())
        scores = self.model.compare(reference, dist)
        if scores.requires_grad:
            scores.register_hook(self._note)
        return scores

    def _note(self, gradient):
        self.backwards += len(gradient)
