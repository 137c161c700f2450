"""BiRQA's analytic feature maps (section 3.1), with the reference's half computed once.

The paper says that maps are arranged in a pyramid without saying whether images or maps are downscaled; here the
images are, by 2 x 2 means, and every level computes its maps at its own resolution, so that a coarse level sees
coarse structure rather than a blurred fine map. The local window is a Gaussian of 11 taps and sigma 1.5, SSIM's own.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.core.filters import gaussian_filter
from robustiqa.models.birqa.lbp import LBP, bits

C1: Final = 0.01**2
C2: Final = 0.03**2
C_GRADIENT: Final = 170 / 255**2  # of gradient magnitude similarity (Xue et al., 2014), for luma in [0, 1]
SCHARR: Final = ((3, 10, 3), (0, 0, 0), (-3, -10, -3))
YCBCR: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


class Half(NamedTuple):
    """What one image of a pair contributes at one level: all [N, ., H, W]."""

    ycbcr: Tensor
    mean: Tensor
    variance: Tensor
    gradient: Tensor
    lbp: Tensor


def half(ycbcr: Tensor, lbp: LBP) -> Half:
    """Local moments and binary patterns of an image in YCbCr [N, 3, H, W]."""
    y = ycbcr[:, :1]
    moments = gaussian_filter(torch.cat((y, y * y), 1), 11, 1.5, mode="same")
    mean = moments[:, :1]
    return Half(ycbcr, mean, (moments[:, 1:] - mean * mean).clamp_min(0), gradient_magnitude(y), bits(y, lbp))


def gradient_magnitude(y: Tensor) -> Tensor:
    """Scharr's gradient magnitude of luma [N, 1, H, W]; its derivative stays finite on flat areas."""
    kernel = torch.tensor(SCHARR, dtype=y.dtype, device=y.device)[None, None] / 16
    padded = F.pad(y, (1, 1, 1, 1), mode="replicate")
    parts = F.conv2d(padded, torch.cat((kernel, kernel.transpose(2, 3))))
    return (parts.square().sum(1, keepdim=True) + 1e-8).sqrt()


def to_ycbcr(rgb: Tensor) -> Tensor:
    """SRGB [N, 3, H, W] in [0, 1] to full-range YCbCr (BT.601), chroma centred on 0."""
    matrix = torch.tensor(YCBCR, dtype=rgb.dtype, device=rgb.device)
    return F.conv2d(rgb, matrix[:, :, None, None])


def pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """``levels`` images, each half the size of the one before, rounded up."""
    images = [image]
    while len(images) < levels:
        images.append(F.avg_pool2d(images[-1], 2, ceil_mode=True, count_include_pad=False))
    return images


def ssim(ref: Half, dist: Half) -> Tensor:
    """Luminance and contrast-structure maps of SSIM (Wang et al., 2004), whose product is the SSIM map."""
    cross = gaussian_filter(ref.ycbcr[:, :1] * dist.ycbcr[:, :1], 11, 1.5, mode="same") - ref.mean * dist.mean
    luminance = (2 * ref.mean * dist.mean + C1) / (ref.mean**2 + dist.mean**2 + C1)
    structure = (2 * cross + C2) / (ref.variance + dist.variance + C2)
    return torch.cat((luminance, structure), 1)


def information(ref: Half, dist: Half) -> Tensor:
    """Local information content: variance of luma in both images, on a logarithmic scale (cf. IW-SSIM, 2010)."""
    return torch.log1p(torch.cat((ref.variance, dist.variance), 1) / C2)


def gradient(ref: Half, dist: Half) -> Tensor:
    """Gradient magnitude (Appendix B's local information): its similarity, and which image has more of it, signed."""
    a, b = ref.gradient, dist.gradient
    scale = a * a + b * b + C_GRADIENT
    return torch.cat(((2 * a * b + C_GRADIENT) / scale, (b * b - a * a) / scale), 1)


def color(ref: Half, dist: Half) -> Tensor:
    """Difference of the YCbCr channels, signed."""
    return dist.ycbcr - ref.ycbcr


def local_binary_pattern(ref: Half, dist: Half) -> Tensor:
    """Which bits of the local binary pattern changed, and in which sense."""
    return dist.lbp - ref.lbp


class Feature(NamedTuple):
    """A feature map: its number of channels, and the function from the two halves of a pair."""

    channels: int
    compute: Callable[[Half, Half], Tensor]


FEATURES: Final = {
    "ssim": Feature(2, ssim),
    "information": Feature(2, information),
    "gradient": Feature(2, gradient),
    "color": Feature(3, color),
    "lbp": Feature(4, local_binary_pattern),
}
