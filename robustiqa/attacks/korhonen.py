"""Attack hidden in busy regions (Korhonen and You, QoEVMA at ACM Multimedia 2022).

The published code multiplies the gradient by an activity map before Adam. Adam divides every pixel's gradient by its
own size, so that the map cancels and changes nothing. Here it multiplies the update, which is what it was meant for.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.attacks.adam import Adam
from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball, rows
from robustiqa.attacks.search import Search
from robustiqa.core.filters import luma
from robustiqa.core.random import RandomStreams

SOBEL: Final = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))


@dataclass(frozen=True)
class Korhonen(Attack):
    """Adam on J whose updates are scaled by how busy the distorted image is at each pixel (Sobel, both axes)."""

    name: ClassVar[str] = "korhonen"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Korhonen and You, QoEVMA 2022, doi 10.1145/3552469.3555715"

    steps: int = 50
    lr: float = 2 / 255

    def __post_init__(self) -> None:
        at_least(self, steps=1, lr=0)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        activity, adam = activity_map(x), Adam(x)
        for _ in range(self.steps):
            _, gradient = search.value_and_grad(x)
            x = ball.project(x + self.lr * activity * adam.direction(gradient))
        return x


def activity_map(image: Tensor) -> Tensor:
    """Size of the Sobel gradient of luma [N, 1, H, W] of images [N, 3, H, W], over its largest value in the image.

    1 everywhere in an image without any edge: there is nothing to hide in, and nothing to prefer.
    """
    across = torch.tensor(SOBEL, dtype=image.dtype, device=image.device)
    kernels = torch.stack((across, across.T))[:, None]
    slopes = F.conv2d(F.pad(luma(image), (1, 1, 1, 1), mode="replicate"), kernels)
    size = slopes.square().sum(1, keepdim=True).sqrt()
    largest = rows(size.flatten(1).amax(1))
    return torch.where(largest > 0, size / largest, 1.0)
