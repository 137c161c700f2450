"""BiRQA's analytic feature maps (section 3.1 and Appendix B), one file per kind, with the reference's half kept.

The paper says that maps are arranged in a pyramid without saying whether images or maps are downscaled; here the
images are, by 2 x 2 means, and every level computes its maps at its own resolution, so that a coarse level sees
coarse structure rather than a blurred fine map.
"""

from typing import Final

from robustiqa.models.birqa.features.edges import EDGES, GRADIENT
from robustiqa.models.birqa.features.gabor import GABOR
from robustiqa.models.birqa.features.half import Feature
from robustiqa.models.birqa.features.moments import INFORMATION, SSIM, VIF
from robustiqa.models.birqa.features.pixels import COLOR, RAW
from robustiqa.models.birqa.features.saliency import SALIENCY
from robustiqa.models.birqa.features.texture import ENTROPY, LBP_BITS
from robustiqa.models.birqa.features.wavelet import DLM, WAVELET

FEATURES: Final = {
    "ssim": SSIM,
    "information": INFORMATION,
    "gradient": GRADIENT,
    "color": COLOR,
    "lbp": LBP_BITS,
    "gabor": GABOR,
    "wavelet": WAVELET,
    "entropy": ENTROPY,
    "edge": EDGES,
    "dlm": DLM,
    "vif": VIF,
    "saliency": SALIENCY,
    "raw": RAW,
}

__all__ = ["FEATURES", "Feature"]
