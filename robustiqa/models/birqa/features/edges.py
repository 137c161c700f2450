"""Gradients as local information (Appendix B), and the edge map."""

from typing import Final

import torch
from torch import Tensor

from robustiqa.core.filters import gaussian_window
from robustiqa.models.birqa.features.half import Feature, Half, luma
from robustiqa.models.birqa.features.maps import agreement, convolve

C_GRADIENT: Final = 170 / 255**2  # of gradient magnitude similarity (Xue et al., 2014), for luma in [0, 1]
SCHARR: Final = ((3, 10, 3), (0, 0, 0), (-3, -10, -3))
SIGMA: Final = 1.0
EDGE: Final = 8 / 255  # slope per pixel at which half an edge is seen: a step of 20 grey levels, smoothed by SIGMA


def gradient_magnitude(y: Tensor) -> Tensor:
    """Scharr's gradient magnitude of luma [N, 1, H, W]; its derivative stays finite on flat areas."""
    kernel = torch.tensor(SCHARR, dtype=y.dtype, device=y.device)[None, None] / 16
    parts = convolve(y, torch.cat((kernel, kernel.transpose(2, 3))))
    return (parts.square().sum(1, keepdim=True) + 1e-8).sqrt()


def magnitude(half: Half) -> Tensor:
    """:func:`gradient_magnitude` of luma [N, 1, H, W]."""
    return gradient_magnitude(half[luma])


def gradient(ref: Half, dist: Half) -> Tensor:
    """Gradient magnitude (Appendix B's local information): its similarity, and which image has more of it, signed."""
    return agreement(ref[magnitude], dist[magnitude], C_GRADIENT)


def squared_slope(y: Tensor) -> Tensor:
    """Squared gradient magnitude of luma [N, 1, H, W], by derivatives of a Gaussian, Canny's (1986) first stage."""
    radius = round(4 * SIGMA)
    smooth = gaussian_window(2 * radius + 1, SIGMA, y)
    offset = torch.arange(-radius, radius + 1, dtype=y.dtype, device=y.device)
    pair = torch.stack((smooth, offset / SIGMA**2 * smooth))
    columns = y.new_zeros(2, 2, len(offset), 1)
    columns[0, 0, :, 0], columns[1, 1, :, 0] = pair[1], smooth
    return convolve(y, pair[:, None, None], columns).square().sum(1, keepdim=True)


def edges(half: Half) -> Tensor:
    """How much of an edge each pixel is [N, 1, H, W], in [0, 1): s^2 / (s^2 + EDGE^2) of the slope s."""
    squared = squared_slope(half[luma])
    return squared / (squared + EDGE**2)


def edge(ref: Half, dist: Half) -> Tensor:
    """The reference's edges, and what was gained or lost of them, signed."""
    return torch.cat((ref[edges], dist[edges] - ref[edges]), 1)


GRADIENT: Final = Feature(2, gradient, (magnitude,))
EDGES: Final = Feature(2, edge, (edges,))
