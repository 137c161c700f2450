"""What feature maps are computed with: filters with replicated borders, and comparisons that stay bounded."""

import torch
from torch import Tensor
from torch.nn import functional as F


def convolve(x: Tensor, *kernels: Tensor) -> Tensor:
    """``x`` [N, 1, H, W] through ``kernels`` [K, C, h, w], one after the other, to [N, K, H, W] of the last.

    Borders are replicated; of an even number of taps the one left of the middle is the pixel's own.
    """
    height = sum(kernel.shape[-2] - 1 for kernel in kernels)
    width = sum(kernel.shape[-1] - 1 for kernel in kernels)
    x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2), mode="replicate")
    for kernel in kernels:
        x = F.conv2d(x, kernel)
    return x


def agreement(a: Tensor, b: Tensor, c: float) -> Tensor:
    """Similarity of ``a`` and ``b`` [N, C, H, W], 1 where equal, and which has more, signed: [N, 2 C, H, W]."""
    scale = a * a + b * b + c
    return torch.cat(((2 * a * b + c) / scale, (b * b - a * a) / scale), 1)
