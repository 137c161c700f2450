"""One perturbation for all images (Shumitskaya et al., BMVC 2022), learned on a metric's own score."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from robustiqa.attacks.base import Access
from robustiqa.attacks.learned import LearnedAttack


@dataclass(frozen=True)
class UAP(LearnedAttack):
    """One square pattern for a (model, defense, direction), tiled over the image and scaled to ε.

    Learned at 10/255 on references of its own: see ``robustiqa train-attack uap``.
    """

    name: ClassVar[str] = "uap"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Shumitskaya et al., BMVC 2022, arXiv 2211.00366"

    @staticmethod
    def network(width: int, crop: int, *, reference: bool) -> nn.Module:  # noqa: ARG004 (a pattern sees nothing)
        return Pattern(crop)


class Pattern(nn.Module):
    """A pattern [3, S, S] in [-1, 1], whatever the image is."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.pattern = nn.Parameter(torch.zeros(3, side, side))

    def forward(self, x: Tensor, lack: Tensor) -> Tensor:  # noqa: ARG002 (alike for all images)
        height, width = x.shape[-2:]
        side = self.pattern.shape[-1]
        with torch.no_grad():
            self.pattern.clamp_(-1, 1)  # after an optimiser's step: the ball is part of the problem
        tiled = self.pattern.repeat(1, -(-height // side), -(-width // side))
        return tiled[None, :, :height, :width].expand_as(x)
