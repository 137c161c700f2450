"""BiRQA as a quality model: features of the reference once, of the distorted image each time, then the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.core.precision import full_precision
from robustiqa.models.birqa.csram import Injection
from robustiqa.models.birqa.features import FEATURES
from robustiqa.models.birqa.features.half import Half, parts_kept, pyramid
from robustiqa.models.birqa.features.pixels import to_ycbcr
from robustiqa.models.birqa.head import Verdict
from robustiqa.models.birqa.lbp import LBP
from robustiqa.models.birqa.network import Architecture, Network


class Explanation(NamedTuple):
    """A verdict with what led to it: contributions and reliabilities per scale, injections per CSRAM."""

    verdict: Verdict
    injections: Sequence[Injection]


@dataclass(frozen=True)
class Settings(Architecture):
    """The architecture and how it computes LBP: ``smooth`` (default) or ``hard`` with the smooth one's gradient."""

    lbp: LBP = "smooth"


class BiRQANetwork(QualityModel):
    """BiRQA (paper sections 3.1 and 3.2): a score on KADID-10k's scale, about 1 (worst) to 5 (best)."""

    def __init__(self, settings: Settings, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.settings = settings
        self.network = Network(settings)
        self._features = [FEATURES[name] for name in settings.names]
        self._kept = parts_kept(self._features)

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, tuple(half[part] for half in self._halves(ref) for part in self._kept))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        return self.explain(reference, dist).verdict.score

    def explain(self, reference: Reference, dist: Tensor) -> Explanation:
        """The score with its parts, for ``dist`` [N, 3, H, W] against prepared references."""
        return Explanation(*self.network(self.maps(reference, dist)))

    def feature_layers(self, reference: Reference, dist: Tensor) -> tuple[Tensor, ...]:
        """What the head judges, level by level."""
        return tuple(self.network.trunk(self.maps(reference, dist))[0])

    def maps(self, reference: Reference, dist: Tensor) -> list[list[Tensor]]:
        """The feature maps, ``[level][feature]`` of [N, ., H, W]: what the network sees."""
        tensors, size = reference.features, len(self._kept)
        refs = [
            Half(dict(zip(self._kept, tensors[i : i + size], strict=True)), self.settings.lbp)
            for i in range(0, len(tensors), size)
        ]
        with full_precision(dist):
            return [
                [feature.compute(ref, one) for feature in self._features]
                for ref, one in zip(refs, self._halves(dist), strict=True)
            ]

    def _halves(self, image: Tensor) -> list[Half]:
        with full_precision(image):
            levels = pyramid(to_ycbcr(image), self.settings.levels)
            return [Half.of(level, self.settings.lbp, self._kept) for level in levels]
