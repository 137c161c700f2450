"""What one image of a pair contributes to the feature maps at one level: each part once, and only if it is asked for.

A part is a function from a :class:`Half` to a tensor. A half keeps what it computed, so features share parts, and a
feature names those parts of the reference that are worth computing ahead of many comparisons.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from robustiqa.models.birqa.lbp import LBP

Part = Callable[["Half"], Tensor]


class Half:
    """One image at one level; ``half[part]`` is the part, [N, ., H, W]."""

    def __init__(self, parts: Mapping[Part, Tensor], lbp: LBP) -> None:
        self.lbp = lbp
        self._parts = dict(parts)

    @classmethod
    def of(cls, image: Tensor, lbp: LBP, parts: Iterable[Part]) -> "Half":
        """The half of an image in YCbCr [N, 3, H, W] with ``parts``, in an order that decides gradients' last bits."""
        half = cls({ycbcr: image}, lbp)
        for part in parts:
            half[part]
        return half

    def __getitem__(self, part: Part) -> Tensor:
        if part not in self._parts:
            self._parts[part] = part(self)
        return self._parts[part]


class Feature(NamedTuple):
    """A feature map: its number of channels, the function from the halves (reference, distorted), and what it needs
    of the reference: an attack keeps these parts and computes nothing else of it again.
    """

    channels: int
    compute: Callable[[Half, Half], Tensor]
    keeps: tuple[Part, ...]


def parts_kept(features: Iterable[Feature]) -> tuple[Part, ...]:
    """The parts of the reference that ``features`` need, each once."""
    return tuple(dict.fromkeys(part for feature in features for part in feature.keeps))


def ycbcr(_: Half) -> Tensor:
    """The image itself [N, 3, H, W], which a half is made from."""
    raise LookupError("a half that kept no image was asked for it: a feature's `keeps` lacks a part.")


def luma(half: Half) -> Tensor:
    """Y [N, 1, H, W] in [0, 1]."""
    return half[ycbcr][:, :1]


def pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """``levels`` images, each half the size of the one before, rounded up."""
    images = [image]
    while len(images) < levels:
        images.append(F.avg_pool2d(images[-1], 2, ceil_mode=True, count_include_pad=False))
    return images
