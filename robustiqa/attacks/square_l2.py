"""What Square Attack proposes in an L2 ball (Andriushchenko et al., ECCV 2020, arXiv 1912.00049, section 3 and
algorithm 3): two bumps of opposite signs in one window, paid for with what a second window gives up.
"""

from functools import cache
from typing import Final, NamedTuple

import torch
from torch import Tensor

from robustiqa.attacks.budget import Ball

TILES: Final = 5  # per side of the first image's grid
CANCELLED: Final = 1e-6  # of a unit: what a bump leaves of its exact opposite is rounding, not a direction


Window = tuple[slice, slice, slice]


class Patch(NamedTuple):
    """Where an image [3, H, W] changes, and to what."""

    window: Window
    pixels: Tensor


class Bumps:
    """The first image, and what each query changes; uniform numbers decide both."""

    draws = 8  # places (row, column) of two windows, which way the bumps lie, three signs
    least_side = 3  # as in the authors' experiments; one pixel has no room for two bumps

    def opposed(self, draw: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: mass that was moved has no opposite."""
        return None

    def first(self, ball: Ball, sample: int, generator: torch.Generator) -> Tensor:
        """An image [3, H, W] at distance ε, before it is cut with [0, 1]: bumps of random signs on a grid of 5 x 5."""
        center = ball.center[sample]
        height, width = center.shape[-2:]
        change = torch.zeros(center.shape, dtype=torch.float64)
        draws = torch.rand((TILES, TILES, 4), generator=generator, dtype=torch.float64)
        for i in range(TILES):
            for j in range(TILES):
                rows, columns = slice(*_cut(i, height)), slice(*_cut(j, width))
                tile = bumps(rows.stop - rows.start, columns.stop - columns.start, across=bool(draws[i, j, 0] < 0.5))
                change[:, rows, columns] = _signs(draws[i, j, 1:]) * tile
        start: Tensor = center.double().cpu() + _radius(ball, center) * change / change.norm()
        return start.to(center)

    def patch(self, current: Tensor, ball: Ball, sample: int, side: int, draw: Tensor) -> Patch:
        """All of the image: where rounding left the ball, projection moves every pixel."""
        moved = self.next(current, ball, sample, side, draw)
        index = torch.tensor([sample], device=moved.device)
        return Patch((slice(None),) * 3, ball.project(moved[None], index)[0])

    def next(self, current: Tensor, ball: Ball, sample: int, side: int, draw: Tensor) -> Tensor:
        """``current`` [3, H, W] with the mass of one window, and what the ball has left, put into another's bumps."""
        center = ball.center[sample]
        change = current.double() - center.double()
        unused = (_radius(ball, center) ** 2 - change.square().sum()).clamp_min(0)
        window, other = (window_at(draw[k : k + 2], side, center.shape) for k in (0, 2))
        bump = bumps(side, side, across=bool(draw[4] < 0.5)).to(center.device)
        way = _signs(draw[5:]).to(center.device) * bump / bump.norm()
        wanted = way + _unit(change[window])
        wanted = torch.where(_norm(wanted) > CANCELLED, wanted, way)
        mass = _norm(change[other]) ** 2
        change[other] = 0  # before the window's own mass is taken: what both share counts once
        mass = (mass + _norm(change[window]) ** 2 + unused / len(change)).sqrt()
        change[window] = mass * _unit(wanted)
        return (center.double() + change).to(current)


@cache
def bumps(height: int, width: int, *, across: bool) -> Tensor:
    """A rising and a falling bump side by side [height, width]: one above the other, or, ``across``, left and right."""
    if across:
        return bumps(width, height, across=False).T
    upper = height // 2
    return torch.cat((_bump(upper, width), -_bump(height - upper, width)))


def _bump(height: int, width: int) -> Tensor:
    """Equation 2: at m steps from the edge, of n to the centre, the sum of 1 / (n + 1 - k)^2 over k = 0 ... m."""
    n = max(height, width) // 2
    away = [(torch.arange(side) - side // 2).abs() for side in (height, width)]
    heights = torch.arange(1, n + 2, dtype=torch.float64).flip(0).pow(-2).cumsum(0)
    return heights[n - torch.maximum(away[0][:, None], away[1][None, :])]


def window_at(place: Tensor, side: int, shape: torch.Size) -> Window:
    """The square of an image [3, H, W] that two uniform numbers choose among all that fit."""
    top, left = (place * torch.tensor([length - side + 1 for length in shape[-2:]])).long().tolist()
    return slice(None), slice(top, top + side), slice(left, left + side)


def _cut(i: int, length: int) -> tuple[int, int]:
    """Where part ``i`` of ``TILES`` of a side starts and ends; of sides below ``TILES`` some parts are empty."""
    return i * length // TILES, (i + 1) * length // TILES


def _radius(ball: Ball, image: Tensor) -> float:
    return float(ball.eps * image.numel() ** 0.5)


def _signs(draws: Tensor) -> Tensor:
    return torch.where(draws < 0.5, -1.0, 1.0).double()[:, None, None]


def _norm(change: Tensor) -> Tensor:
    """Of each channel [3, 1, 1]."""
    norm: Tensor = torch.linalg.vector_norm(change, dim=(1, 2), keepdim=True)
    return norm


def _unit(change: Tensor) -> Tensor:
    norm = _norm(change)
    return torch.where(norm > 0, change / norm, 0.0)
