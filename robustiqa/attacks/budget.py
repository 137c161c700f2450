"""The L∞ ball of an attack, exact in float32, and its 8-bit grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class Linf:
    """All images within ``eps`` of ``center`` [N, 3, H, W] in every pixel, and in [0, 1].

    ``low`` and ``high`` are the ball's corners, pulled in by one float where rounding would leave the ball: every x
    with low <= x <= high has abs(x - center) <= eps, exactly, as the images' own precision computes it.
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
        low = torch.where(center - low > radius, torch.nextafter(low, center), low)
        high = torch.where(high - center > radius, torch.nextafter(high, center), high)
        return cls(center, eps, low, high)

    def project(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """The point of the ball nearest to ``x`` (rows ``index`` of the batch, or all)."""
        low, high = (self.low, self.high) if index is None else (self.low[index], self.high[index])
        return torch.minimum(torch.maximum(x, low), high)

    def random_point(self, random: RandomStreams) -> Tensor:
        """Uniform in the ball cut with [0, 1]: center + U(-eps, eps), clipped; row i from the stream of sample i."""
        return self.project(self.center + self.eps * (2 * random.uniform_like(self.center) - 1))

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


def _round_down(eps: float, dtype: torch.dtype) -> Tensor:
    """The largest number of ``dtype`` not above ``eps``: 8/255 itself is no float32, and its nearest is above."""
    nearest = torch.tensor(eps, dtype=dtype)
    return nearest if nearest.item() <= eps else torch.nextafter(nearest, torch.zeros_like(nearest))
