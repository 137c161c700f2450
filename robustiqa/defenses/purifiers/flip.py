"""Random mirroring of both images (one of the purifiers of Gushchin et al., 2024, made paired)."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor

from robustiqa.defenses.purifiers.base import Generators, Purifier

Axis = Literal["random", "horizontal", "vertical", "both"]
AXES: Final = {"horizontal": (-1,), "vertical": (-2,), "both": (-2, -1)}


@dataclass(frozen=True)
class Flip(Purifier):
    """Mirror both images; ``axis`` random draws left-right, up-down, both or neither per sample."""

    name: ClassVar[str] = "flip"
    paper: ClassVar[str] = "Gushchin et al., 2024"
    paired: ClassVar[bool] = True

    axis: Axis = "random"

    @property
    def randomised(self) -> bool:
        return self.axis == "random"

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        if self.axis != "random":
            return x.flip(AXES[self.axis])
        options = ((), *AXES.values())
        draws = [int(torch.randint(len(options), (), generator=generator)) for generator in generators]
        return torch.stack([row.flip(options[draw]) for row, draw in zip(x, draws, strict=True)])
