"""LPIPS's distance of two stacks of features (Zhang et al., CVPR 2018, equation 1), with a backward pass of its own."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from robustiqa.core.precision import widened

EPSILON: Final = 1e-10


def weighted_distance(ref: Sequence[Tensor], dist: Sequence[Tensor], heads: Iterable[Tensor]) -> Tensor:
    """Equation 1 [N]: unit-normalised features ``ref`` and raw ones ``dist`` [N, C, H, W] per layer, weighted by
    ``heads`` [C]; in float32 or wider.
    """
    layers = zip(ref, dist, heads, strict=True)
    return torch.stack([_layer(widened(r), own, head) for r, own, head in layers]).sum(0)


def unit_normalised(features: Tensor) -> Tensor:
    """``features`` [N, C, H, W] divided by their norm over C; all-zero positions stay zero, with a finite gradient.

    The published code takes the plain root of the sum of squares, whose gradient at such positions is NaN. Only the
    ReLU before every tap hides that, where its backward pass selects rather than multiplies.
    """
    features = widened(features)
    norm: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (norm + EPSILON)


def _layer(ref: Tensor, dist: Tensor, head: Tensor) -> Tensor:
    if torch.compiler.is_compiling():
        distance = (((ref - unit_normalised(dist)) ** 2).mean((2, 3)) * head).sum(1)
    else:
        distance = _Distance.apply(ref, dist, head)
    return distance


class _Distance(torch.autograd.Function):
    """One layer. Autograd would go over the features three times as often, backwards."""

    @staticmethod
    def forward(ctx: Any, ref: Tensor, dist: Tensor, head: Tensor) -> Tensor:  # noqa: ANN401
        wide = widened(dist)
        norm = (wide * wide).sum(1, keepdim=True).sqrt_()  # over so few channels faster than vector_norm
        unit = wide / (norm + EPSILON)
        difference = unit - ref
        mean_square = torch.linalg.vector_norm(difference, dim=(2, 3)).square_() / _pixels(ref)
        ctx.save_for_backward(unit, difference, norm, mean_square, head)
        ctx.dtype = dist.dtype
        distance: Tensor = (mean_square * head).sum(1)
        return distance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:  # noqa: ANN401
        unit, difference, norm, mean_square, head = ctx.saved_tensors
        own = difference * (slope[:, None] * head * (2 / _pixels(unit)))[..., None, None]
        of_ref = -own if ctx.needs_input_grad[0] else None
        of_head = (slope[:, None] * mean_square).sum(0) if ctx.needs_input_grad[2] else None
        # d unit = (d x - unit (x . d x) / norm) / (norm + eps); where norm is 0, so is unit
        along = (unit * own).sum(1, keepdim=True).mul_((norm + EPSILON) / norm.clamp_min(EPSILON**2))
        own.addcmul_(unit, along, value=-1).div_(norm + EPSILON)
        return of_ref, own.to(ctx.dtype), of_head


def _pixels(features: Tensor) -> int:
    return features.shape[-2] * features.shape[-1]
