"""Gaussian blur."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.filters import gaussian_filter
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Gaussian(Purifier):
    """Blur with deviation ``sigma`` in pixels, borders replicated."""

    name: ClassVar[str] = "gaussian"
    paper: ClassVar[str] = "Gushchin et al., 2024"

    sigma: float = 0.8

    def __post_init__(self) -> None:
        if not 0 < self.sigma <= 20:
            raise InvalidInput(f"gaussian: sigma={self.sigma} is out of (0, 20].")

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        return gaussian_filter(x, 2 * math.ceil(3 * self.sigma) + 1, self.sigma, mode="same").clamp(0, 1)
