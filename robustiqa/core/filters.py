"""Filters shared by the models: luma and separable Gaussians."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Mode = Literal["valid", "same"]


def luma(rgb: Tensor) -> Tensor:
    """Y [N, 1, H, W] of sRGB [N, 3, H, W]: .299 R + .587 G + .114 B, unrounded (BT.601)."""
    return 0.299 * rgb[:, :1] + 0.587 * rgb[:, 1:2] + 0.114 * rgb[:, 2:]


def gaussian_window(size: int, sigma: float, like: Tensor) -> Tensor:
    """A Gaussian [size], normalised to sum 1, of the dtype and device of ``like``."""
    position = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    window = torch.exp(-(position**2) / (2 * sigma**2))
    return (window / window.sum()).to(like)


def gaussian_filter(x: Tensor, size: int, sigma: float, mode: Mode = "valid") -> Tensor:
    """Each channel of ``x`` [N, C, H, W] filtered with :func:`gaussian_window`, rows and columns apart.

    ``valid`` returns size - 1 pixels less in height and width, ``same`` replicates the border.
    """
    window = gaussian_window(size, sigma, x)
    channels = x.shape[1]
    if mode == "same":
        half = size // 2
        x = F.pad(x, (half, size - 1 - half, half, size - 1 - half), mode="replicate")
    columns = F.conv2d(x, window.view(1, 1, 1, -1).expand(channels, 1, 1, size), groups=channels)
    return F.conv2d(columns, window.view(1, 1, -1, 1).expand(channels, 1, size, 1), groups=channels)
