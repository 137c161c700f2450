"""A random window of both images (cf. Guo et al., ICLR 2018, arXiv 1711.00117)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.defenses.purifiers.base import Generators, Purifier


@dataclass(frozen=True)
class Crop(Purifier):
    """Score the same random window of ``size`` pixels a side of both images, or as much of it as there is."""

    name: ClassVar[str] = "crop"
    paper: ClassVar[str] = "Guo et al., ICLR 2018, arXiv 1711.00117"
    paired: ClassVar[bool] = True

    size: int = 96

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidInput(f"crop: size={self.size} must be at least 1.")

    @property
    def randomised(self) -> bool:
        return True

    def apply(self, model: QualityModel) -> QualityModel:
        if self.size < model.info.min_size:
            raise InvalidInput(
                f"crop: size={self.size} is below the {model.info.min_size} pixels that {model.info.name} needs."
            )
        return super().apply(model)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        height, width = (min(self.size, side) for side in x.shape[-2:])
        rows = []
        for row, generator in zip(x, generators, strict=True):
            top, left = (
                int(torch.randint(whole - part + 1, (), generator=generator))
                for whole, part in ((x.shape[-2], height), (x.shape[-1], width))
            )
            rows.append(row[:, top : top + height, left : left + width])
        return torch.stack(rows)
