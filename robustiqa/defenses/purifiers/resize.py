"""Resizing of both images (cf. Xie et al., ICLR 2018, arXiv 1711.01991; Gushchin et al., 2024)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Resize(Purifier):
    """Score both images at ``scale`` times their size (bilinear, antialiased), or resized back to it with ``back``."""

    name: ClassVar[str] = "resize"
    paper: ClassVar[str] = "Gushchin et al., 2024"
    paired: ClassVar[bool] = True

    scale: float = 0.5
    back: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 4:
            raise InvalidInput(f"resize: scale={self.scale} is out of (0, 4].")

    def smallest(self, min_size: int) -> int:
        return min_size if self.back else math.ceil(min_size / self.scale)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        size = [max(1, round(side * self.scale)) for side in x.shape[-2:]]
        scaled = _resized(x, size)
        return _resized(scaled, list(x.shape[-2:])) if self.back else scaled


def _resized(x: Tensor, size: list[int]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
