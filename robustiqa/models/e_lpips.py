"""E-LPIPS: LPIPS under random transformations (Kettunen, Harkonen and Lehtinen, 2019, arXiv 1906.03973).

Both images of a pair go through the same transformation and the same dropout; the distance is the mean over draws.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models.backbones import VGG16, Backbone, Trunk
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.lpips_distance import unit_normalised, weighted_distance
from robustiqa.models.weights import Tensors, WeightFile, Weights, fill

BACKBONE: Final[Backbone] = replace(
    VGG16,
    taps=(1, 3, 6, 8, 11, 13, 15, 18, 20, 22, 25, 27, 29),  # every ReLU
    channels=(64, 64, 128, 128, 256, 256, 256, *(512,) * 6),
)
KEPT: Final = 0.99  # share of the inputs of each convolution that dropout leaves
FARTHEST_OFFSET: Final = 7
COARSEST: Final = 8
SMALLEST_SIDE: Final = 64  # no image is scaled to fewer pixels a side
EOT: Final = 8  # draws that an attack averages by default


@dataclass(frozen=True)
class Draw:
    """One random transformation.

    Attributes:
        scale: the factor by which both sides shrink.
        phase: rows and columns reflected before the first block that is averaged into one pixel.
        offset: rows and columns by which the image lies nearer to the upper left corner, of 7.
        flips: the dimensions that are reversed.
        transposed: whether rows and columns change places.
        order: of the colour channels.
        gains: what each is multiplied by, after reordering.
        dropout: the seed of the dropped features.
    """

    scale: int = 1
    phase: tuple[int, int] = (0, 0)
    offset: tuple[int, int] = (0, 0)
    flips: tuple[int, ...] = ()
    transposed: bool = False
    order: tuple[int, ...] = (0, 1, 2)
    gains: tuple[float, ...] = (1.0, 1.0, 1.0)
    dropout: int = 0

    @classmethod
    def sample(cls, generator: torch.Generator, side: int) -> "Draw":
        """A draw for images whose smaller side has ``side`` pixels: scale i has a probability in proportion to 1 / i^2,
        all else is uniform, gains in [0.2, 1).
        """

        def below(limit: int, count: int) -> list[int]:
            return torch.randint(limit, (count,), generator=generator).tolist()

        scales = torch.arange(1, min(COARSEST, max(1, side // SMALLEST_SIDE)) + 1)
        scale = int(scales[torch.multinomial(1.0 / scales**2, 1, generator=generator)])
        phase, offset = below(scale, 2), below(FARTHEST_OFFSET + 1, 2)
        rows, columns, transposed = below(2, 3)
        return cls(
            scale=scale,
            phase=(phase[0], phase[1]),
            offset=(offset[0], offset[1]),
            flips=(-2,) * rows + (-1,) * columns,
            transposed=bool(transposed),
            order=tuple(torch.randperm(3, generator=generator).tolist()),
            gains=tuple((0.2 + 0.8 * torch.rand(3, generator=generator)).tolist()),
            dropout=below(2**62, 1)[0],
        )

    def apply(self, image: Tensor) -> Tensor:
        """``image`` [1, 3, H, W] transformed; edges are reflected, so that nothing of it is lost."""
        if self.scale > 1:
            image = F.avg_pool2d(F.pad(image, self._whole_blocks(image), mode="reflect"), self.scale)
        down, right = self.offset
        border = (FARTHEST_OFFSET - right, right, FARTHEST_OFFSET - down, down)
        image = F.pad(image, border, mode="reflect").flip(self.flips)
        if self.transposed:
            image = image.transpose(-2, -1)
        return image[:, list(self.order)] * image.new_tensor(self.gains)[:, None, None]

    def _whole_blocks(self, image: Tensor) -> tuple[int, int, int, int]:
        """Left, right, top and bottom: whole blocks for any phase, hence the same number of pixels for every draw."""
        padding: list[int] = []
        for size, before in zip(image.shape[:1:-1], reversed(self.phase), strict=True):
            whole = (size + 2 * (self.scale - 1)) // self.scale * self.scale
            padding += [before, whole - size - before]
        return padding[0], padding[1], padding[2], padding[3]


class ELPIPS(QualityModel):
    """One draw per sample and seed: LPIPS of the transformed images over the image and all layers of VGG16, with
    average pooling, and with dropout before each convolution.
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.trunk = Trunk(BACKBONE, lambda _channels: nn.AvgPool2d(2))
        self.heads = nn.ParameterList(torch.rand(channels) for channels in (3, *BACKBONE.channels))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        samples = zip(torch.split(reference.image, 1), torch.split(dist, 1), reference.generators(), strict=True)
        draws = [(ref, own, Draw.sample(random, min(own.shape[-2:]))) for ref, own, random in samples]
        scores = [self.distance(ref, own, draw) for ref, own, draw in draws]
        return torch.cat(scores) if scores else dist.new_zeros(0)

    def distance(self, ref: Tensor, dist: Tensor, draw: Draw) -> Tensor:
        """The distance [1] of two images [1, 3, H, W] in [0, 1] under one draw."""
        normalised = [unit_normalised(layer) for layer in self._features(ref, draw)]
        return weighted_distance(normalised, self._features(dist, draw), self.heads)

    def _features(self, image: Tensor, draw: Draw) -> list[Tensor]:
        generator = torch.Generator().manual_seed(draw.dropout)
        x = self.trunk.normalised(draw.apply(image))
        features = [x]
        for number, layer in enumerate(self.trunk.features):
            x = layer(_dropped(x, generator) if isinstance(layer, nn.Conv2d) else x)
            if number in self.trunk.taps:
                features.append(x)
        return features


def _dropped(x: Tensor, generator: torch.Generator) -> Tensor:
    """``x`` with a share of its values at zero and the others raised to keep the mean."""
    kept = torch.rand(x.shape, generator=generator) < KEPT
    return x * kept.to(x) / KEPT


def _heads(tensors: Tensors) -> Tensors:
    name = re.compile(r"vgg_full_avg\.lin(\d+)")
    matches = ((name.fullmatch(key), tensor) for key, tensor in tensors.items())
    return {match[1]: tensor.flatten() for match, tensor in matches if match}


FILES: Final = {
    "trunk": VGG16.weights,
    "heads": WeightFile(
        "elpips_lin.safetensors",
        "elpips_lin.pth",
        "vgg_full_avg.npy of github.com/mkettune/elpips, its arrays saved as vgg_full_avg.lin0 to .lin13",
        name_sha256="658060e9cf319771076e1428b35958c7489b46555387dabe4200a8f6a8f9f739",
        select=_heads,
    ),
}


def _load(_: NoParameters, weights: Weights, info: ModelInfo) -> ELPIPS:
    return fill(ELPIPS(info), FILES, weights)


E_LPIPS: Final = ModelEntry(
    ModelInfo(
        "e-lpips",
        lower_better=True,
        paper="Kettunen et al., 2019, arXiv 1906.03973",
        score_range=(0.0, None),
        min_size=9,
        deterministic=False,
        eot=EOT,
        licence="BSD-2-Clause (heads), BSD-3-Clause (trunk; ImageNet's terms)",
        weights=tuple(known for file in FILES.values() for known in file.digests),
        trained_on=("bapps", "imagenet"),
    ),
    NoParameters,
    _load,
    tuple(FILES.values()),
)
