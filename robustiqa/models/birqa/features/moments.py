"""Maps of local moments: SSIM, variance and VIF. The window is a Gaussian of 11 taps and sigma 1.5, SSIM's own."""

from typing import Final

import torch
from torch import Tensor

from robustiqa.core.filters import gaussian_filter
from robustiqa.models.birqa.features.half import Feature, Half, luma, ycbcr

C1: Final = 0.01**2
C2: Final = 0.03**2
VISUAL_NOISE: Final = 2 / 255**2  # of VIF's channel model (Sheikh and Bovik, 2006), for luma in [0, 1]


def moments(half: Half) -> Tensor:
    """Local means of luma and of its square [N, 2, H, W]."""
    y = half[luma]
    return gaussian_filter(torch.cat((y, y * y), 1), 11, 1.5, mode="same")


def mean(half: Half) -> Tensor:
    """Local mean of luma [N, 1, H, W]."""
    return half[moments][:, :1]


def variance(half: Half) -> Tensor:
    """Local variance of luma [N, 1, H, W]."""
    return (half[moments][:, 1:] - half[mean] * half[mean]).clamp_min(0)


def covariance(ref: Half, dist: Half) -> Tensor:
    """Local covariance of the two lumas [N, 1, H, W]."""
    return gaussian_filter(ref[ycbcr][:, :1] * dist[ycbcr][:, :1], 11, 1.5, mode="same") - ref[mean] * dist[mean]


def ssim(ref: Half, dist: Half) -> Tensor:
    """Luminance and contrast-structure maps of SSIM (Wang et al., 2004), whose product is the SSIM map."""
    cross = covariance(ref, dist)
    luminance = (2 * ref[mean] * dist[mean] + C1) / (ref[mean] ** 2 + dist[mean] ** 2 + C1)
    structure = (2 * cross + C2) / (ref[variance] + dist[variance] + C2)
    return torch.cat((luminance, structure), 1)


def information(ref: Half, dist: Half) -> Tensor:
    """Local information content: variance of luma in both images, on a logarithmic scale (cf. IW-SSIM, 2010)."""
    return torch.log1p(torch.cat((ref[variance], dist[variance]), 1) / C2)


def vif(ref: Half, dist: Half) -> Tensor:
    """Visual information fidelity in the pixel domain (Sheikh and Bovik, 2006), per pixel.

    Channels: the bits that the distorted image tells of the reference over the bits that the reference holds (1 for
    equal images, more under raised contrast), and the latter, in units of 8 bits. A tenth of a bit is added to
    both parts of the ratio, which is 0 / 0 where the reference is flat.
    """
    cross = covariance(ref, dist)
    gain = cross.clamp_min(0) / (ref[variance] + VISUAL_NOISE * 1e-3)
    rest = (dist[variance] - gain * cross).clamp_min(0)
    told = torch.log2(1 + gain**2 * ref[variance] / (rest + VISUAL_NOISE))
    held = torch.log2(1 + ref[variance] / VISUAL_NOISE)
    return torch.cat(((told + 0.1) / (held + 0.1), held / 8), 1)


SSIM: Final = Feature(2, ssim, (ycbcr, mean, variance))
INFORMATION: Final = Feature(2, information, (variance,))
VIF: Final = Feature(2, vif, (ycbcr, mean, variance))
