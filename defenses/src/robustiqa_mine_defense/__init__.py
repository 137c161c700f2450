"""An example defense: random noise that is blurred away again."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.filters import gaussian_filter
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Mine(Purifier):
    """Adds white noise of ``sigma`` and blurs it away again with a Gaussian of ``blur`` pixels."""

    name: ClassVar[str] = "mine"
    paper: ClassVar[str] = "an example"

    sigma: float = 0.02
    blur: float = 0.6

    def __post_init__(self) -> None:
        if not 0 <= self.sigma <= 1 or not self.blur > 0:
            raise InvalidInput(f"mine: sigma={self.sigma} must be in 0..1 and blur={self.blur} above 0.")

    @property
    def randomised(self) -> bool:
        return self.sigma > 0

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        """Every row has a generator of its own; with another one for the whole batch, samples would be mixed."""
        rows = [torch.randn(row.shape, generator=generator) for row, generator in zip(x, generators, strict=True)]
        noisy = x + self.sigma * torch.stack(rows).to(x)
        return gaussian_filter(noisy, 5, self.blur, mode="same").clamp(0, 1)
