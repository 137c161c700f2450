"""Cross-Scale Residual Attention Module (section 3.2, figure 2): fine cues are lifted to the next coarser level."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.models.birqa.pointwise import Pointwise


class Injection(NamedTuple):
    """What CSRAM did at one level, for inspection: mask M, strength alpha >= 0 and confidence rho in (0, 1)."""

    mask: Tensor
    strength: Tensor
    confidence: Tensor


class CSRAM(nn.Module):
    """G_coarse + (rho * alpha) * R, where R is a bounded residual made from the finer level."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.strength = Pointwise(width + 1, width)
        self.confidence = Pointwise(width + 1, width)
        self.residual = Pointwise(width, width)

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Injection]:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, ceil(H/2), ceil(W/2)] to the new coarse tensor."""
        resized = F.avg_pool2d(fine, 2, ceil_mode=True, count_include_pad=False)
        message = self.down(fine) + resized
        mask = torch.sigmoid(message.mean(1, keepdim=True) + message.amax(1, keepdim=True))
        message = message * mask
        z = torch.cat([x.permute(0, 2, 3, 1) for x in (coarse, mask)], -1).permute(0, 3, 1, 2)  # channels stay last
        strength = _softplus(self.strength(z))
        confidence = torch.sigmoid(self.confidence(z))
        updated = coarse + confidence * strength * torch.tanh(self.residual(message))
        return updated, Injection(mask, strength, confidence)


def _softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)), linear above 20; several times faster on CPUs than torch's, whose log1p is slow."""
    curved = x.clamp_max(20)
    return (x - curved) - torch.log(torch.sigmoid(-curved))
