"""Cross-Scale Residual Attention Module (section 3.2, figure 2): fine cues are lifted to the next coarser level."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        self.strength = nn.Conv2d(width + 1, width, 1)
        self.confidence = nn.Conv2d(width + 1, width, 1)
        self.residual = nn.Conv2d(width, width, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Injection]:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, ceil(H/2), ceil(W/2)] to the new coarse tensor."""
        resized = F.avg_pool2d(fine, 2, ceil_mode=True, count_include_pad=False)
        message = self.down(fine) + resized
        mask = torch.sigmoid(message.mean(1, keepdim=True) + message.amax(1, keepdim=True))
        message = message * mask
        z = torch.cat((coarse, mask), 1)
        strength = F.softplus(self.strength(z))
        confidence = torch.sigmoid(self.confidence(z))
        updated = coarse + confidence * strength * torch.tanh(self.residual(message))
        return updated, Injection(mask, strength, confidence)
