"""Multi-feature adaptive fusion with squeeze-and-excitation (section 3.2; Hu et al., 2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.models.birqa.pointwise import Pointwise, projected
from robustiqa.models.birqa.pooling import rectified_mean


class AdaptiveFusion(nn.Module):
    """Feature maps of one level to one tensor G [N, width, H, W], channels last in memory.

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
        self.phi = nn.Sequential(Pointwise(joint, width), nn.ReLU())
        self.excite = _gate(width, max(4, width // 4))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        joint, average = rectified_mean(self._preprocessed(maps))
        fused, level = rectified_mean(self._phi(joint, self.alpha(average)))
        gated: Tensor = fused * self.excite(level)
        return gated

    def _preprocessed(self, maps: Sequence[Tensor]) -> Tensor:
        """All F_j before their ReLU, in one convolution with a group per map: one apiece has a backward pass several
        times slower.
        """
        most = max(one.shape[1] for one in maps)
        joint = torch.cat([_padded(one, most) for one in maps], 1)
        weight = torch.cat([_padded(layer.get_parameter("0.weight"), most) for layer in self.preprocess])
        bias = torch.cat([layer.get_parameter("0.bias") for layer in self.preprocess])
        return F.conv2d(joint, weight, bias, padding=1, groups=len(maps))

    def _phi(self, joint: Tensor, gate: Tensor) -> Tensor:
        """phi(joint * gate) [N, width, H, W] before its ReLU; the gate scales phi's weights, which are fewer than the
        pixels.
        """
        weight, bias = self.phi.get_parameter("0.weight"), self.phi.get_parameter("0.bias")
        return projected(joint, (weight.flatten(1) * gate.flatten(1)[:, None]).transpose(1, 2), bias)


def _padded(x: Tensor, channels: int) -> Tensor:
    """``x`` [N, C, H, W] with channels of zeros after its own, up to ``channels``."""
    missing = channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, 0, missing)) if missing else x


def _gate(channels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), Pointwise(channels, hidden), nn.ReLU(), Pointwise(hidden, channels), nn.Sigmoid()
    )
