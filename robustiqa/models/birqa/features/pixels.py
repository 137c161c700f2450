"""Colours: the difference map (section 3.1) and raw pixels, which the paper tried and left out (Appendix B)."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.models.birqa.features.half import Feature, Half, ycbcr

YCBCR: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
RGB: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def to_ycbcr(rgb: Tensor) -> Tensor:
    """SRGB [N, 3, H, W] in [0, 1] to full-range YCbCr (BT.601), chroma centred on 0."""
    return _mixed(rgb, YCBCR)


def to_rgb(image: Tensor) -> Tensor:
    """The inverse of :func:`to_ycbcr`."""
    return _mixed(image, RGB)


def difference(ref: Half, dist: Half) -> Tensor:
    """Difference of the YCbCr channels, signed."""
    return dist[ycbcr] - ref[ycbcr]


def pixels(ref: Half, dist: Half) -> Tensor:
    """Both images in RGB."""
    return torch.cat((to_rgb(ref[ycbcr]), to_rgb(dist[ycbcr])), 1)


def _mixed(image: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    return F.conv2d(image, torch.tensor(matrix, dtype=image.dtype, device=image.device)[:, :, None, None])


COLOR: Final = Feature(3, difference, (ycbcr,))
RAW: Final = Feature(6, pixels, (ycbcr,))
