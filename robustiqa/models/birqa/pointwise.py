"""1 x 1 convolutions as the matrix products that they are, channels last in memory."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A 1 x 1 convolution of [N, C, H, W] in channels-last memory; torch's own copies its input to channels first
    where it has one thread, which takes longer than the product.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class _Projected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, weight)
        rows = torch.baddbmm(bias, x.flatten(2).transpose(1, 2), weight)
        return rows.view(-1, *x.shape[-2:], rows.shape[-1]).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        rows = gradient.permute(0, 2, 3, 1).flatten(1, 2)
        return torch.bmm(weight, rows.transpose(1, 2)).view_as(x), torch.bmm(x.flatten(2), rows), rows.sum((0, 1))


def projected(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``x`` [N, C, H, W], channels first in memory, through a 1 x 1 convolution of its own, ``weight`` [N, C, K].

    What comes, [N, K, H, W], has channels last; the gradient of ``x`` has them first, as what made ``x`` wants it.
    """
    result: Tensor = _Projected.apply(x, weight, bias)
    return result
