"""Structural similarity on luma (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13(4), 2004)."""

from typing import Final

import torch
from torch import Tensor

from robustiqa.core.filters import gaussian_filter, luma
from robustiqa.core.model import ModelInfo, QualityModel, Reference

WINDOW: Final = 11
SIGMA: Final = 1.5
C1: Final = 0.01**2
C2: Final = 0.03**2


def ssim(ref: Tensor, dist: Tensor) -> Tensor:
    """SSIM [N] of images [N, 3, H, W] in [0, 1], at least 11 pixels a side."""
    return _compare(_moments(ref), dist)


class SSIM(QualityModel):
    """SSIM of unrounded luma, valid windows, population covariance, no downscaling."""

    info = ModelInfo(
        "ssim",
        lower_better=False,
        paper="Wang et al., IEEE TIP 2004",
        score_range=(-1.0, 1.0),
        min_size=WINDOW,
    )

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, _moments(ref))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        return _compare(reference.features, dist)


def _moments(image: Tensor) -> tuple[Tensor, ...]:
    """Luma, its local mean and local variance [N, 1, ., .], in float64: flat variances cancel in float32."""
    y = luma(image.double())
    moments = gaussian_filter(torch.cat((y, y * y), 1), WINDOW, SIGMA)
    mean = moments[:, :1]
    return y, mean, moments[:, 1:] - mean * mean


def _compare(reference: tuple[Tensor, ...], dist: Tensor) -> Tensor:
    ref, ref_mean, ref_variance = reference
    y, mean, variance = _moments(dist)
    covariance = gaussian_filter(ref * y, WINDOW, SIGMA) - ref_mean * mean
    luminance = (2 * ref_mean * mean + C1) / (ref_mean**2 + mean**2 + C1)
    structure = (2 * covariance + C2) / (ref_variance + variance + C2)
    return (luminance * structure).flatten(1).mean(1).to(dist.dtype)
