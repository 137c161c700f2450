"""Peak signal-to-noise ratio over R, G and B."""

from typing import Final

import torch
from torch import Tensor

from robustiqa.core.model import ModelInfo, QualityModel, Reference

CAP_DB: Final = 100.0


def psnr(ref: Tensor, dist: Tensor) -> Tensor:
    """PSNR [N] in dB of images [N, 3, H, W] in [0, 1], capped at 100 dB: identical images have no finite one.

    The gradient is finite everywhere, and zero at the cap.
    """
    mse = ((ref - dist) ** 2).flatten(1).mean(1)
    return -10 * torch.log10(mse.clamp_min(10 ** (-CAP_DB / 10)))


class PSNR(QualityModel):
    """PSNR as a quality model."""

    info = ModelInfo(
        "psnr",
        lower_better=False,
        paper="mean squared error of R, G and B in dB",
        score_range=(0.0, CAP_DB),
    )

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        return psnr(reference.image, dist)
