"""Texture: changed bits of local binary patterns (section 3.1), and local entropy (Appendix B)."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.models.birqa.features.half import Feature, Half, luma
from robustiqa.models.birqa.lbp import bits

BINS: Final = 16
WINDOW: Final = 9


def patterns(half: Half) -> Tensor:
    """The local binary pattern's four bits [N, 4, H, W]."""
    return bits(half[luma], half.lbp)


def local_binary_pattern(ref: Half, dist: Half) -> Tensor:
    """Which bits of the local binary pattern changed, and in which sense."""
    return dist[patterns] - ref[patterns]


def local_entropy(y: Tensor) -> Tensor:
    """Shannon entropy in bits [N, 1, H, W] of luma in [0, 1], in windows of 9 x 9, from a soft histogram of 16 bins.

    A grey level at a distance of t < 1 bins counts as 1 - 3 t^2 + 2 t^3 there and as the rest in the other bin beside
    it, so that the histogram is that of the levels themselves where they lie on bins, and is smooth everywhere.
    """
    centres = torch.arange(BINS, dtype=y.dtype, device=y.device).view(1, -1, 1, 1)
    t = (y * (BINS - 1) - centres).abs().clamp_max(1)
    share = 1 - t * t * (3 - 2 * t)
    half = WINDOW // 2
    padded = F.pad(share, (half, half, half, half), mode="replicate")
    p = F.avg_pool2d(F.avg_pool2d(padded, (WINDOW, 1), 1), (1, WINDOW), 1)
    return -(p * torch.log2(p + 1e-6)).sum(1, keepdim=True)


def entropies(half: Half) -> Tensor:
    """:func:`local_entropy` of luma, in units of its maximum of 4 bits [N, 1, H, W]."""
    return local_entropy(half[luma]) / 4


def entropy(ref: Half, dist: Half) -> Tensor:
    """The reference's entropy, and what was gained or lost of it, signed."""
    return torch.cat((ref[entropies], dist[entropies] - ref[entropies]), 1)


LBP_BITS: Final = Feature(4, local_binary_pattern, (patterns,))
ENTROPY: Final = Feature(2, entropy, (entropies,))
