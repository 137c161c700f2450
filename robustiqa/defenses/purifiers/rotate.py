"""Random rotation of both images about their centre (cf. Gushchin et al., 2024)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Rotate(Purifier):
    """Rotate both images by the same angle, uniform within ±``degrees``, bilinear, mirrored beyond the border."""

    name: ClassVar[str] = "rotate"
    paper: ClassVar[str] = "Gushchin et al., 2024"
    paired: ClassVar[bool] = True

    degrees: float = 15.0

    def __post_init__(self) -> None:
        if not 0 < self.degrees <= 180:
            raise InvalidInput(f"rotate: degrees={self.degrees} is out of (0, 180].")

    @property
    def randomised(self) -> bool:
        return True

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        angles = [math.radians(self.degrees) * (2 * float(torch.rand((), generator=g)) - 1) for g in generators]
        height, width = x.shape[-2:]
        # affine_grid's coordinates run from -1 to 1 along each side: undo that scale, or a rectangle would be sheared
        rows = [
            [
                [math.cos(a), -math.sin(a) * height / width, 0.0],
                [math.sin(a) * width / height, math.cos(a), 0.0],
            ]
            for a in angles
        ]
        grid = F.affine_grid(torch.tensor(rows, dtype=x.dtype, device=x.device), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False).clamp(0, 1)
