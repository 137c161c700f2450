"""Filters shared by the models: luma and separable Gaussians."""

from typing import Any, Literal

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
    window = gaussian_window(size, sigma, x).tolist()
    if mode == "same":
        half = size // 2
        x = F.pad(x, (half, size - 1 - half, half, size - 1 - half), mode="replicate")
    filtered: Tensor = _Filtered.apply(x, window)
    return filtered


class _Filtered(torch.autograd.Function):
    """Filtering as sums of shifted images, in place: on CPUs several times faster than a convolution of one channel,
    above all backwards. The window is symmetric, so that the transpose is the same filter on a border of zeros.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: list[float]) -> Tensor:  # noqa: ANN401
        ctx.window = window
        return _shifted_sum(_shifted_sum(x, window, -1), window, -2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        border = len(ctx.window) - 1
        return _Filtered.apply(F.pad(gradient, (border,) * 4), ctx.window), None


def _shifted_sum(x: Tensor, window: list[float], dim: int) -> Tensor:
    length = x.shape[dim] - len(window) + 1
    total = x.narrow(dim, 0, length) * window[0]
    for shift, weight in enumerate(window[1:], start=1):
        total.add_(x.narrow(dim, shift, length), alpha=weight)
    return total
