"""White noise on the image (randomised smoothing's first step; Cohen et al., ICML 2019, arXiv 1902.02918)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Noise(Purifier):
    """Add Gaussian noise of deviation ``sigma`` (images in [0, 1]) and clip."""

    name: ClassVar[str] = "noise"
    paper: ClassVar[str] = "Cohen et al., ICML 2019, arXiv 1902.02918"

    sigma: float = 0.03

    def __post_init__(self) -> None:
        if not 0 < self.sigma <= 1:
            raise InvalidInput(f"noise: sigma={self.sigma} is out of (0, 1].")

    @property
    def randomised(self) -> bool:
        return True

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        rows = [torch.randn(x.shape[1:], generator=generator, dtype=x.dtype) for generator in generators]
        return (x + self.sigma * torch.stack(rows).to(x.device)).clamp(0, 1)
