"""Max-pooling of 2 x 2 pixels as maxima of shifted images: on CPUs torch's own takes half as long as a convolution."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaxPool2x2(nn.Module):
    """The maximum of every 2 x 2 pixels of [N, C, H, W]; a last odd row or column is left out.

    Scores and gradients are those of ``nn.MaxPool2d(2)``, to the bit: of equal pixels the first, row by row, counts.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return F.max_pool2d(x, 2)
        pooled: Tensor = _Max.apply(x)
        return pooled


class _Max(torch.autograd.Function):
    """Columns first: where all four pixels tie, the first in rows must win."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        left, right = _pairs(x, -1)
        wider = torch.maximum(left, right)
        top, bottom = _pairs(wider, -2)
        if ctx.needs_input_grad[0]:
            ctx.shape = x.shape
            ctx.save_for_backward(left >= right, top >= bottom)
        return torch.maximum(top, bottom)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401
        is_left, is_top = ctx.saved_tensors
        return _spread(_spread(gradient, is_top, -2, ctx.shape[-2]), is_left, -1, ctx.shape[-1])


def _pairs(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """First and second neighbours along ``dim``."""
    index, last = [slice(None)] * x.ndim, x.shape[dim] // 2 * 2
    index[dim] = slice(0, last, 2)
    first = x[tuple(index)]
    index[dim] = slice(1, last, 2)
    return first, x[tuple(index)]


def _spread(gradient: Tensor, is_first: Tensor, dim: int, size: int) -> Tensor:
    """What each of two neighbours along ``dim`` gets of their maximum's gradient."""
    shape = list(gradient.shape)
    shape[dim] = size
    whole = gradient.new_zeros(shape)
    share = gradient * is_first
    _pairs(whole, dim)[0].copy_(share)
    _pairs(whole, dim)[1].copy_(gradient - share)  # a new view: autograd has noted that the whole has changed
    return whole
