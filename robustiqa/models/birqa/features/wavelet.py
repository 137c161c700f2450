"""Wavelets (Appendix B): detail coefficients compared, and the detail loss measure built on them.

The transform is Daubechies' with two vanishing moments, undecimated, one scale per level of the pyramid, so that
maps keep their level's size.
"""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.models.birqa.features.half import Feature, Half, luma
from robustiqa.models.birqa.features.maps import agreement, convolve

ROOT: Final = math.sqrt(3)
LOW: Final = ((1 + ROOT) / 8, (3 + ROOT) / 8, (3 - ROOT) / 8, (1 - ROOT) / 8)  # sum 1
HIGH: Final = (LOW[3], -LOW[2], LOW[1], -LOW[0])
C_WAVELET: Final = (5 / 255) ** 2
DETAIL: Final = 1 / 255  # coefficients below one grey level are no detail to lose
ANGLE: Final = math.sin(math.radians(1))  # within one degree a gradient counts as the same, its contrast changed


def coefficients(y: Tensor) -> Tensor:
    """Detail of luma [N, 3, H, W]: across (high-pass along rows), down, and diagonal."""
    low, high = (torch.tensor(taps, dtype=y.dtype, device=y.device) for taps in (LOW, HIGH))
    columns = y.new_zeros(3, 2, len(LOW), 1)
    columns[0, 1, :, 0], columns[1, 0, :, 0], columns[2, 1, :, 0] = low, high, high
    return convolve(y, torch.stack((low, high))[:, None, None], columns)


def details(half: Half) -> Tensor:
    """:func:`coefficients` of luma [N, 3, H, W]."""
    return coefficients(half[luma])


def wavelet(ref: Half, dist: Half) -> Tensor:
    """Similarity of each detail coefficient, and which image has more of it, signed."""
    return agreement(ref[details], dist[details], C_WAVELET)


def decouple(original: Tensor, distorted: Tensor) -> tuple[Tensor, Tensor]:
    """Detail of the distorted image, split into what it kept of the original's and what was added (Li et al., 2011).

    Kept is k O with k = clip(D / O, 0, 1), but all of D where the gradient's angle stayed within one degree, since
    then contrast alone has changed. The paper's threshold on the angle is a smooth gate here, one half at one degree.
    """
    ratio = (distorted * original / (original**2 + 1e-8)).clamp(0, 1)
    across, down = (torch.stack((x[:, 0], x[:, 1]), 1) for x in (original, distorted))
    dot = (across * down).sum(1, keepdim=True).clamp_min(0)
    turn = across[:, :1] * down[:, 1:] - across[:, 1:] * down[:, :1]
    same = dot**2 / (dot**2 + (turn / ANGLE) ** 2 + 1e-10)
    kept = ratio * original
    kept = kept + same * (distorted - kept)
    return kept, distorted - kept


def detail_loss(ref: Half, dist: Half) -> Tensor:
    """The detail loss measure per pixel: detail that is kept and not masked by what was added, over the original's, on
    a scale of powers of two (0: nothing is lost); and the added share of all detail, in [0, 1). How scales weigh
    (contrast sensitivity) is left to the network.
    """
    original = ref[details]
    kept, added = decouple(original, dist[details])
    around = added.abs().sum(1, keepdim=True)
    around = F.pad(around, (1, 1, 1, 1), mode="replicate")
    mask = (9 * F.avg_pool2d(around, 3, 1) + around[..., 1:-1, 1:-1]) / 30
    visible = (kept.abs() - mask).clamp_min(0).sum(1, keepdim=True)
    remains = torch.log2((visible + DETAIL) / (original.abs().sum(1, keepdim=True) + DETAIL))
    held, new = (x.square().sum(1, keepdim=True) for x in (original, added))
    return torch.cat((remains, new / (held + new + DETAIL**2)), 1)


WAVELET: Final = Feature(6, wavelet, (details,))
DLM: Final = Feature(2, detail_loss, (details,))
