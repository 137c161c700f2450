"""JPEG with smooth rounding: close to the real one, and with a gradient (Shin and Song, 2017 NeurIPS workshop).

Colour transform, halved chroma, 8 x 8 cosine transform, quantisation with x -> round(x) + (x - round(x))³, and back.
"""

import math
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK: Final = 8
# Annex K of ITU-T T.81, rows of horizontal frequency
LUMINANCE: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56), (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
CHROMINANCE: Final = (
    (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99),
)  # fmt: skip
TO_YCBCR: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def soft_jpeg(x: Tensor, quality: int) -> Tensor:
    """``x`` [N, 3, H, W] in [0, 1] after a differentiable JPEG at ``quality`` 1 to 100 (libjpeg's scale)."""
    height, width = x.shape[-2:]
    whole = F.pad(255 * x, (0, -width % 16, 0, -height % 16), mode="replicate")
    ycbcr = _mix(whole, TO_YCBCR)
    luma = _quantised(ycbcr[:, :1] - 128, _table("luma", quality).to(x)) + 128
    chroma = _quantised(F.avg_pool2d(ycbcr[:, 1:], 2), _table("chroma", quality).to(x))
    rgb = _mix(torch.cat((luma, F.interpolate(chroma, scale_factor=2, mode="nearest")), 1), TO_RGB)
    return (rgb[..., :height, :width] / 255).clamp(0, 1)


def soft_round(x: Tensor) -> Tensor:
    """The nearest integer plus the cube of the distance to it: exact at integers, its slope 3 (x - round(x))²."""
    nearest = x.detach().round()
    return nearest + (x - nearest) ** 3


def _mix(x: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    return F.conv2d(x, torch.tensor(matrix, dtype=x.dtype, device=x.device)[:, :, None, None])


def _quantised(x: Tensor, table: Tensor) -> Tensor:
    """Channels [N, C, H, W] through the transform, the rounding of ``table`` [8, 8] and back."""
    basis = _cosines().to(x)
    count, channels, height, width = x.shape
    blocks = x.view(count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
    coefficients = basis @ blocks @ basis.T
    decoded = basis.T @ (soft_round(coefficients / table) * table) @ basis
    return decoded.transpose(3, 4).reshape(count, channels, height, width)


@cache
def _cosines() -> Tensor:
    """The orthonormal cosine transform [frequency, position]."""
    place = torch.arange(BLOCK, dtype=torch.float64)
    basis = torch.cos(math.pi / BLOCK * (place[None] + 0.5) * place[:, None]) * math.sqrt(2 / BLOCK)
    basis[0] /= math.sqrt(2)
    return basis


@cache
def _table(kind: str, quality: int) -> Tensor:
    """Quantisation steps [8, 8] at ``quality``, by libjpeg's rule."""
    base = torch.full((BLOCK, BLOCK), 99.0)
    if kind == "luma":
        base = torch.tensor(LUMINANCE, dtype=torch.float32)
    else:
        base[:4, :4] = torch.tensor(CHROMINANCE, dtype=torch.float32)
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((base * scale + 50) / 100).floor().clamp(1, 255)
