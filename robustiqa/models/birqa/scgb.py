"""Spatial Cross-Gating Block (section 3.2): coarse context gates the next finer level."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.models.birqa.pointwise import Pointwise


class SCGB(nn.Module):
    """G_fine + G_fine * sigma(MLP(G_coarse)), the gate enlarged to the finer level's size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(Pointwise(width, width), nn.ReLU(), Pointwise(width, width), nn.Sigmoid())

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, ceil(H/2), ceil(W/2)] to the new fine tensor."""
        gate = F.interpolate(self.mlp(coarse), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return torch.addcmul(fine, fine, gate)
