"""Saliency (Appendix B) by the spectral residual (Hou and Zhang, 2007), where the paper used a neural network."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.core.filters import gaussian_filter
from robustiqa.models.birqa.features.half import Feature, Half, luma

SIDE: Final = 64  # the larger side of the small image in which places stand out
FLOOR: Final = 1e-8  # added to squared amplitudes: rounding errors of flat images are no spectrum


def spectral_residual(y: Tensor) -> Tensor:
    """Saliency [N, 1, h, w] >= 0 of small luma images: what their log spectrum has beyond its local mean.

    The spectrum is turned back with its own phase, squared, and smoothed by a Gaussian of 2.5 pixels.
    """
    spectrum = torch.fft.fft2(y, norm="ortho")
    amplitude = (spectrum.real**2 + spectrum.imag**2 + FLOOR).sqrt()
    log = amplitude.log()
    residual = log - F.avg_pool2d(F.pad(log, (1, 1, 1, 1), mode="circular"), 3, 1)
    signal = torch.fft.ifft2(spectrum / amplitude * residual.exp(), norm="ortho")
    return gaussian_filter(signal.real**2 + signal.imag**2, 11, 2.5, mode="same")


def salience(half: Half) -> Tensor:
    """Saliency of luma [N, 1, H, W] in [0, 1): s / (s + its mean), one half where a place is as salient as most."""
    y = half[luma]
    height, width = y.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    small = F.adaptive_avg_pool2d(y, (max(1, round(height * scale)), max(1, round(width * scale))))
    salient = spectral_residual(small)
    salient = salient / (salient + salient.mean((-2, -1), keepdim=True) + FLOOR)
    return F.interpolate(salient, size=(height, width), mode="bilinear", align_corners=False)


def saliency(ref: Half, dist: Half) -> Tensor:
    """Where one looks in the reference, and how that changed, signed."""
    return torch.cat((ref[salience], dist[salience] - ref[salience]), 1)


SALIENCY: Final = Feature(2, saliency, (salience,))
