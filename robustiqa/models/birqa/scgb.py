"""Spatial Cross-Gating Block (section 3.2): coarse context gates the next finer level."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from robustiqa.models.birqa.pointwise import Pointwise


class _Gated(torch.autograd.Function):
    """x + x * gate, whose backward pass makes no tensors but the two gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gate: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, gate)
        return torch.addcmul(x, x, gate)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        x, gate = ctx.saved_tensors
        return torch.addcmul(gradient, gradient, gate), gradient * x


class SCGB(nn.Module):
    """G_fine + G_fine * sigma(MLP(G_coarse)), the gate enlarged to the finer level's size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(Pointwise(width, width), nn.ReLU(), Pointwise(width, width), nn.Sigmoid())

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, ceil(H/2), ceil(W/2)] to the new fine tensor."""
        gate = F.interpolate(self.mlp(coarse), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        gated: Tensor = _Gated.apply(fine, gate)
        return gated
