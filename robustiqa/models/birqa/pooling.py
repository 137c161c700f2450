"""Pooling over space, with backward passes that go over the pixels once.

Autograd would make a tensor of an image's size for every step of a formula; these are most of what an attack on a
network as small as this one waits for.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

FLOOR: Final = 1e-3  # GeM's ReLU stops here rather than at 0, which keeps its logarithm finite


class _RectifiedMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        rectified = torch.relu(x)
        ctx.save_for_backward(rectified)
        return rectified, rectified.mean((-2, -1), keepdim=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, mean: Tensor) -> Tensor:  # noqa: ANN401
        (rectified,) = ctx.saved_tensors
        return _where_above(gradient + mean / (rectified.shape[-2] * rectified.shape[-1]), rectified, 0)


class _GeM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Tensor) -> Tensor:  # noqa: ANN401
        clamped = x.clamp_min(FLOOR)
        powers = torch.log(clamped).mul_(p).exp_()  # x^p: pow itself is slower
        mean = powers.mean((-2, -1))
        pooled = mean ** (1 / p)
        ctx.save_for_backward(clamped, powers, mean, pooled, p)
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:  # noqa: ANN401
        x, powers, mean, pooled, p = ctx.saved_tensors
        share = gradient * pooled / mean / (x.shape[-2] * x.shape[-1])  # of dm/dx, where pooled = m^(1 / p)
        per_pixel = _where_above((powers / x).mul_(share[..., None, None]), x, FLOOR)
        if not ctx.needs_input_grad[1]:
            return per_pixel, None
        slope = (powers * torch.log(x)).sum((-2, -1)) * share / p - gradient * pooled * torch.log(mean) / p**2
        return per_pixel, slope.sum()


def _where_above(gradient: Tensor, x: Tensor, floor: float) -> Tensor:
    """``gradient``, overwritten by 0 where ``x`` is not above ``floor``."""
    kept: Tensor = torch.ops.aten.threshold_backward.grad_input(gradient, x, floor, grad_input=gradient)
    return kept


def rectified_mean(x: Tensor) -> tuple[Tensor, Tensor]:
    """relu(x) of ``x`` [N, C, H, W], and its mean over space [N, C, 1, 1]."""
    rectified, mean = _RectifiedMean.apply(x)
    return rectified, mean


class GeM(nn.Module):
    """Generalised-mean pooling over space with a learnable exponent p >= 1 (Radenovic et al., 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = _GeM.apply(x, self.p.clamp(1, 8))
        return pooled
