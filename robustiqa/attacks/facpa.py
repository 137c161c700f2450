"""FACPA: a network that draws the perturbation in one pass (Shumitskaya et al., ICLR 2023 Tiny Papers).

The authors' generator is a U-Net with eight levels of 64 channels and more (54 million parameters), trained for hours
on metrics without a reference. Ours has five levels and a width that one chooses, so that a CPU trains it in minutes,
and no dropout: so short a training has nothing to regularise. Two things differ for it. It sees the reference too, as
what the image lacks of it in units of ε: what raises a full-reference score hangs on that most of all. And what it sees
skips to its last layer, for eight channels at half the size cannot carry single pixels. Images are reflected to sides
that the levels can halve; the result is cut back.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from robustiqa.attacks.base import Access
from robustiqa.attacks.learned import LearnedAttack

DEPTH: Final = 5
WIDEST: Final = 8  # times the width of the first level
SLOPE: Final = 0.2


@dataclass(frozen=True)
class FACPA(LearnedAttack):
    """A U-Net for a (model, defense, direction) turns image and reference into a perturbation, scaled to ε.

    Learned at 10/255 on references of its own: see ``robustiqa train-attack facpa``.
    """

    name: ClassVar[str] = "facpa"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Shumitskaya et al., ICLR 2023 Tiny Papers, arXiv 2305.15544"

    @staticmethod
    def network(width: int, crop: int, *, reference: bool) -> nn.Module:  # noqa: ARG004 (it takes any size)
        return UNet(width, reference=reference)


class UNet(nn.Module):
    """Strided 4 x 4 convolutions down, transposed ones up with skips, instance norm, tanh; any size of image."""

    def __init__(self, width: int, *, reference: bool) -> None:
        super().__init__()
        self.reference = reference
        seen = 6 if reference else 3
        channels = [width * min(2**level, WIDEST) for level in range(DEPTH)]
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, 2, 1) for before, after in zip([seen, *channels], channels, strict=False)
        )
        ups = zip(channels[::-1], [*channels[-2::-1], width], strict=True)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before if level == 0 else 2 * before, after, 4, 2, 1)
            for level, (before, after) in enumerate(ups)
        )
        self.draw = nn.Conv2d(width + seen, 3, 3, padding=1)

    def forward(self, x: Tensor, lack: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        seen = torch.cat((2 * x - 1, lack.clamp(-1, 1)), 1) if self.reference else 2 * x - 1
        skips = [reflected(seen, 2**DEPTH)]
        for level, down in enumerate(self.down):
            features = down(nn.functional.leaky_relu(skips[-1], SLOPE) if level else skips[-1])
            inner = 0 < level < DEPTH - 1  # the outermost level keeps its scale, the innermost may be one pixel
            skips.append(_normalised(features) if inner else features)
        features = skips[-1]
        for level, up in enumerate(self.up):
            skip = skips[DEPTH - level]
            features = _normalised(up(nn.functional.relu(skip if level == 0 else torch.cat((features, skip), 1))))
        drawn = self.draw(torch.cat((nn.functional.relu(features), skips[0]), 1))
        return torch.tanh(drawn)[..., :height, :width]


def _normalised(features: Tensor) -> Tensor:
    """Instance normalisation [N, C, H, W]: every channel of every image at mean 0 and variance 1."""
    variance, mean = torch.var_mean(features, (2, 3), correction=0, keepdim=True)
    return (features - mean) / (variance + 1e-5).sqrt()


def reflected(x: Tensor, multiple: int) -> Tensor:
    """``x`` [N, C, H, W] continued to the right and below by its mirror image, to sides that are multiples."""
    rows, columns = (_mirror(side, -(-side // multiple) * multiple).to(x.device) for side in x.shape[-2:])
    return x[:, :, rows][..., columns]


def _mirror(side: int, wanted: int) -> Tensor:
    """Positions 0, 1, ..., side - 1, side - 2, ..., 1, 0, 1, ... [wanted]; the edge itself is not repeated."""
    period = max(1, 2 * (side - 1))
    position = torch.arange(wanted) % period
    return torch.minimum(position, period - position) if side > 1 else torch.zeros_like(position)
