"""Purification: images are changed before the model sees them, in the hope that the attack is what gets lost.

A full-reference model sees two images, so every purifier says which it changes. Geometric ones must move both in the
same way: flipping the distorted image alone measures the flip.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor, nn

from robustiqa.core.model import QualityModel, Reference
from robustiqa.core.parameters import spelled
from robustiqa.core.random import derive_seed
from robustiqa.defenses.base import Defense

ApplyTo = Literal["dist", "both"]
Generators = Sequence[torch.Generator]
EOT: Final = 8  # draws that an attack on a randomised purifier averages by default


@dataclass(frozen=True)
class Purifier(Defense):
    """Changes images; ``apply_to`` says whether the distorted image alone or the reference as well.

    Subclasses give :meth:`purify` and, where they draw at random, :attr:`randomised`.
    """

    paired: ClassVar[bool] = False  # geometric: both images, moved alike, whatever apply_to says

    apply_to: ApplyTo = "dist"

    @property
    def randomised(self) -> bool:
        """Whether :meth:`purify` draws from its generators."""
        return False

    @property
    def network(self) -> nn.Module | None:
        """The network that :meth:`purify` uses, if any: it moves between devices with the defended model."""
        return None

    @abstractmethod
    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        """Purified images [N, 3, H', W'] in [0, 1] of ``x`` [N, 3, H, W]; row i may draw from ``generators[i]`` alone.

        The gradient through it is what an adaptive attack follows; where the true one is zero or missing, the purifier
        lends a substitute (BPDA, see :mod:`robustiqa.defenses.purifiers.substitute`).
        """

    def smallest(self, min_size: int) -> int:
        """Smallest side in pixels of an image whose purified version has ``min_size`` pixels a side."""
        return min_size

    def apply(self, model: QualityModel) -> QualityModel:
        return PurifiedModel(model, self).frozen()


class PurifiedModel(QualityModel):
    """A model behind a purifier. The reference is purified once, unless every draw changes it."""

    def __init__(self, model: QualityModel, purifier: Purifier) -> None:
        super().__init__()
        self.model, self.purifier, self.network = model, purifier, purifier.network
        randomised = purifier.randomised
        self._changes_reference = purifier.paired or purifier.apply_to == "both"
        self._prepares = not (self._changes_reference and randomised)
        self.info = replace(
            model.info,
            min_size=purifier.smallest(model.info.min_size),
            deterministic=model.info.deterministic and not randomised,
            eot=max(model.info.eot, EOT if randomised else 1),
            defense="+".join(filter(None, (spelled(purifier.name, purifier), model.info.defense))),
        )

    def prepare(self, ref: Tensor) -> Reference:
        if not self._prepares:
            return Reference(ref)
        seen = self.purifier.purify(ref, Reference(ref).generators()) if self._changes_reference else ref
        inner = self.model.prepare(seen)
        return Reference(ref, (inner.image, *inner.features))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        purified = self.purifier.purify(dist, reference.generators())
        return self.model.compare(self._inner(reference), purified)

    def _inner(self, reference: Reference) -> Reference:
        """What the model behind the purifier gets; its own draws differ from the purifier's."""
        if self._prepares:
            image, *features = reference.features
            inner = Reference(image, tuple(features))
        else:
            own = reference if self.purifier.paired else _reseeded(reference, "reference")
            inner = self.model.prepare(self.purifier.purify(reference.image, own.generators()))
        return inner.seeded(_reseeded(reference, "model").seeds)


def _reseeded(reference: Reference, purpose: str) -> Reference:
    return reference.seeded([derive_seed(seed, purpose) for seed in reference.seeds or (0,) * len(reference.image)])
