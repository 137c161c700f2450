"""Bilateral filter (Tomasi and Manduchi, ICCV 1998)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.filters import gaussian_window
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.windows import check_odd, neighbours


@dataclass(frozen=True)
class Bilateral(Purifier):
    """Mean of each window weighted by distance (``sigma_space``, pixels) and by colour (``sigma_color``, in [0, 1])."""

    name: ClassVar[str] = "bilateral"
    paper: ClassVar[str] = "Tomasi and Manduchi, ICCV 1998"

    size: int = 5
    sigma_space: float = 1.5
    sigma_color: float = 0.1

    def __post_init__(self) -> None:
        check_odd(self.name, self.size)
        if min(self.sigma_space, self.sigma_color) <= 0:
            raise InvalidInput(
                f"bilateral: sigma_space={self.sigma_space}, sigma_color={self.sigma_color}; both must be above 0."
            )

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        window = gaussian_window(self.size, self.sigma_space, x)
        space = torch.outer(window, window).flatten()[None, None, :, None, None]
        around = neighbours(x, self.size)
        distance = ((around - x[:, :, None]) ** 2).sum(1, keepdim=True)  # over channels: edges of any colour count
        weight = space * torch.exp(-distance / (2 * self.sigma_color**2))
        return (weight * around).sum(2) / weight.sum(2)
