"""The balls of an attack, exact in float32, and their 8-bit grid."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams

Norm = Literal["linf", "l2"]


class Ball(Protocol):
    """All images of [0, 1] within ``eps`` of ``center`` [N, 3, H, W]; ``low`` and ``high`` are the box around them."""

    @property
    def center(self) -> Tensor: ...
    @property
    def eps(self) -> float: ...
    @property
    def low(self) -> Tensor: ...
    @property
    def high(self) -> Tensor: ...

    def project(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """A point of the ball near ``x`` (rows ``index`` of the batch, or all); ``x`` itself where it lies inside."""

    def random_point(self, random: RandomStreams) -> Tensor:
        """A random image of the ball; row i from the stream of sample i."""

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of size 1, in the ball's norm, in which a function of this gradient rises fastest; 0 for 0."""

    def contains(self, x: Tensor, index: Tensor) -> Tensor:
        """Which rows of ``x`` [M, ...] lie in the ball of sample ``index`` [M]; non-finite rows do not."""

    def round_8bit(self, x: Tensor) -> Tensor:
        """``x`` on the 8-bit grid, still in the ball where the grid has a point there."""


@dataclass(frozen=True)
class Linf:
    """All images within ``eps`` of ``center`` [N, 3, H, W] in every pixel, and in [0, 1].

    ``low`` and ``high`` are the ball's corners, pulled in by one float where rounding would leave the ball: every x
    with low <= x <= high has abs(x - center) <= eps, exactly, both as float64 and as the images' own precision
    computes it.
    """

    center: Tensor
    eps: float
    low: Tensor
    high: Tensor

    @classmethod
    def around(cls, center: Tensor, eps: float) -> "Linf":
        """The ball of radius ``eps`` in (0, 1] around images in [0, 1].

        Raises:
            InvalidInput: ``eps`` out of (0, 1].
        """
        if not 0 < eps <= 1:
            raise InvalidInput(f"eps {eps!r} is out of (0, 1]; images are in [0, 1], so write 8/255, not 8.")
        radius = _round_down(eps, center.dtype)
        low, high = (center - radius).clamp_min(0), (center + radius).clamp_max(1)
        return cls(center, eps, _pulled_in(low, center, radius, eps), _pulled_in(high, center, radius, eps))

    def project(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """The point of the ball nearest to ``x`` (rows ``index`` of the batch, or all), in the ball's own precision."""
        low, high = (self.low, self.high) if index is None else (self.low[index], self.high[index])
        return torch.minimum(torch.maximum(x.to(low.dtype), low), high)

    def random_point(self, random: RandomStreams) -> Tensor:
        """Uniform in the ball cut with [0, 1]: center + U(-eps, eps), clipped; row i from the stream of sample i."""
        return self.project(self.center + self.eps * (2 * random.uniform_like(self.center) - 1))

    def steepest(self, gradient: Tensor) -> Tensor:
        """The gradient's sign."""
        return gradient.sign()

    def contains(self, x: Tensor, index: Tensor) -> Tensor:
        """Which rows of ``x`` [M, ...] lie in the ball of sample ``index`` [M]; non-finite rows do not."""
        inside = (x >= self.low[index]) & (x <= self.high[index])
        return inside.flatten(1).all(1)

    def round_8bit(self, x: Tensor) -> Tensor:
        """``x`` on the 8-bit grid and, where the grid has a level in the ball, still within ε.

        The grid's levels are k/255. Where the ball holds none (ε below half a level around an image that is not on
        the grid) the level nearest to the centre is taken: an 8-bit file cannot be nearer.
        """
        slack = 1e-4  # of a level: center ± eps are themselves rounded, k/255 must not fall out by one float
        lowest, highest = (self.low * 255 - slack).ceil(), (self.high * 255 + slack).floor()
        level = torch.minimum(torch.maximum((x * 255).round(), lowest), highest)
        level = torch.where(lowest > highest, (self.center * 255).round(), level)
        return level / 255


@dataclass(frozen=True)
class L2:
    """All images whose root mean square change is at most ``eps``: ||x - center||_2 <= eps sqrt(3 H W).

    ε is per value, so that it means the same for every size, and the L∞ ball of ε lies within this one. Distances
    are measured in float64, row by row, and are exact in that sense.
    """

    center: Tensor
    eps: float
    low: Tensor
    high: Tensor

    @classmethod
    def around(cls, center: Tensor, eps: float) -> "L2":
        """The ball of radius ``eps`` in (0, 1], a root mean square, around images in [0, 1].

        Raises:
            InvalidInput: ``eps`` out of (0, 1].
        """
        if not 0 < eps <= 1:
            raise InvalidInput(f"eps {eps!r} is out of (0, 1]; images are in [0, 1], so write 8/255, not 8.")
        reach = eps * center[0].numel() ** 0.5 if len(center) else eps
        return cls(center, eps, (center - reach).clamp_min(0), (center + reach).clamp_max(1))

    def project(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """``x`` cut with [0, 1], then pulled straight towards the centre; inside it stays as it is."""
        center = self.center if index is None else self.center[index]
        inner = x.to(center.dtype).clamp(0, 1)
        change, size = inner - center, rms(inner, center)
        share, shrink = (self.eps / size).clamp_max(1), 1e-7
        while bool((outside := rms(inner, center) > self.eps).any()):  # again where rounding left it out by a hair
            pulled = (center + rows(share).to(inner.dtype) * change).clamp(0, 1)
            inner = torch.where(rows(outside), pulled, inner)
            share, shrink = share * (1 - min(shrink, 0.5)), 2 * shrink
        return inner

    def random_point(self, random: RandomStreams) -> Tensor:
        """Uniform noise of a root mean square of at most ε, cut with [0, 1]."""
        return self.project(self.center + self.eps * (2 * random.uniform_like(self.center) - 1))

    def steepest(self, gradient: Tensor) -> Tensor:
        """The gradient at a root mean square of 1."""
        size = rms(gradient, torch.zeros_like(gradient))
        return gradient * rows(torch.where(size > 0, 1 / size, 0.0)).to(gradient.dtype)

    def contains(self, x: Tensor, index: Tensor) -> Tensor:
        """Which rows of ``x`` [M, ...] lie in the ball of sample ``index`` [M]; non-finite rows do not."""
        return (rms(x, self.center[index]) <= self.eps) & ((x >= 0) & (x <= 1)).flatten(1).all(1)

    def round_8bit(self, x: Tensor) -> Tensor:
        """The nearest levels; where these leave the ball, those of a point nearer to the centre.

        A centre off the grid whose own levels are outside the ball is rounded to them: no 8-bit file is nearer.
        """
        share = torch.ones(len(x), dtype=x.dtype, device=x.device)
        rounded = (x * 255).round() / 255
        for _ in range(64):
            outside = rms(rounded, self.center) > self.eps
            share = torch.where(outside, share * 0.95, share)
            rounded = ((self.center + rows(share) * (x - self.center)) * 255).round() / 255
        outside = rms(rounded, self.center) > self.eps
        return torch.where(rows(outside), (self.center * 255).round() / 255, rounded)


BALLS: Final[dict[Norm, type[Linf] | type[L2]]] = {"linf": Linf, "l2": L2}


def rms(x: Tensor, center: Tensor) -> Tensor:
    """Root mean square [M] of ``x`` - ``center`` [M, ...] in float64; a sample's does not depend on its neighbours."""
    changes = (x.double() - center.double()).square()
    return torch.stack([change.mean() for change in changes]).sqrt() if len(x) else changes.new_zeros(0)


def rows(values: Tensor) -> Tensor:
    """One value per sample [N], to be spread over images [N, 3, H, W]."""
    return values[:, None, None, None]


def _pulled_in(corner: Tensor, center: Tensor, radius: Tensor, eps: float) -> Tensor:
    """``corner``, one float nearer to ``center`` where it is out of the ball in either precision."""
    away, exact = (corner - center).abs(), (corner.double() - center.double()).abs()
    return torch.where((away > radius) | (exact > eps), torch.nextafter(corner, center), corner)


def _round_down(eps: float, dtype: torch.dtype) -> Tensor:
    """The largest number of ``dtype`` not above ``eps``: 8/255 itself is no float32, and its nearest is above."""
    nearest = torch.tensor(eps, dtype=dtype)
    return nearest if nearest.item() <= eps else torch.nextafter(nearest, torch.zeros_like(nearest))
