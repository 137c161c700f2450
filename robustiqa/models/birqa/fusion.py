"""Multi-feature adaptive fusion with squeeze-and-excitation (section 3.2; Hu et al., 2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class AdaptiveFusion(nn.Module):
    """Feature maps of one level to one tensor G [N, width, H, W].

    Each map is preprocessed alone (F_j), weighted by a gate computed from the global averages of all of them
    (alpha_j), joined, convolved (phi) and recalibrated channel by channel (SE).
    """

    def __init__(self, channels: Sequence[int], width: int, inner: int = 8) -> None:
        super().__init__()
        joint = inner * len(channels)
        self.preprocess = nn.ModuleList(
            nn.Sequential(nn.Conv2d(count, inner, 3, padding=1), nn.ReLU()) for count in channels
        )
        self.alpha = _gate(joint, max(4, joint // 4))
        self.phi = nn.Sequential(nn.Conv2d(joint, width, 1), nn.ReLU())
        self.excite = _gate(width, max(4, width // 4))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        joint = torch.cat([layer(one) for layer, one in zip(self.preprocess, maps, strict=True)], 1)
        fused: Tensor = self.phi(joint * self.alpha(joint))
        gated: Tensor = fused * self.excite(fused)
        return gated


def _gate(channels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
    )
