"""How large an adversarial perturbation is, and how much of it one would see."""

from dataclasses import dataclass

from torch import Tensor

from robustiqa.models.psnr import psnr
from robustiqa.models.ssim import WINDOW, ssim


@dataclass(frozen=True)
class Perturbation:
    """Of one sample: L∞ and L2 norms of the change, SSIM and PSNR of the attacked to the un-attacked distorted image.

    ``ssim`` is None where the image is smaller than SSIM's window.
    """

    linf: float
    l2: float
    ssim: float | None
    psnr: float


def perturbations(before: Tensor, after: Tensor) -> list[Perturbation]:
    """One for each sample of two batches [N, 3, H, W] in [0, 1]."""
    change = (after - before).flatten(1)
    seen = ssim(before, after).tolist() if min(before.shape[-2:]) >= WINDOW else [None] * len(before)
    columns = (change.abs().amax(1).tolist(), change.norm(dim=1).tolist(), seen, psnr(before, after).tolist())
    return [Perturbation(*row) for row in zip(*columns, strict=True)]
