"""Square Attack on a score (Andriushchenko, Croce, Flammarion and Hein, ECCV 2020, arXiv 1912.00049)."""

from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm
from robustiqa.attacks.search import Search
from robustiqa.attacks.square_l2 import Bumps, Patch, window_at
from robustiqa.core.random import RandomStreams

# the share of pixels in a square halves after these of 10,000 iterations, scaled to the budget
HALVINGS: Final = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class Square(Attack):
    """Random search in squares, kept where J rises. It stops only when its queries are spent.

    In the L∞ ball the first query is an image of vertical stripes, and each further one sets a square per sample to ±ε,
    one sign per channel. With ``norm=l2`` bumps take the place of both (algorithm 3 of the paper), and the mass of a
    second square is moved into the first. ``queries`` counts exactly the forward passes per sample.
    """

    name: ClassVar[str] = "square"
    access: ClassVar[Access] = "black-box"
    paper: ClassVar[str] = "Andriushchenko et al., ECCV 2020, arXiv 1912.00049"

    queries: int = 5000
    p_init: float = 0.8
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        at_least(self, queries=1, p_init=0)
        known_norm(self)

    @property
    def calls(self) -> Calls:
        return Calls(values=self.queries)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        height, width = x.shape[-2:]
        generators = random.generators()
        shapes: _Shapes = _Corners() if self.norm == "linf" else Bumps()
        current = ball.project(torch.stack([shapes.first(ball, i, one) for i, one in enumerate(generators)]))
        best_j = search.value(current)
        draws = [_draws(generator, self.queries - 1, shapes.draws) for generator in generators]
        for query in range(self.queries - 1):
            side = square_side(query / max(1, self.queries), self.p_init, height, width, shapes.least_side)
            patches = [shapes.patch(current[i], ball, i, side, draw[query]) for i, draw in enumerate(draws)]
            before = [_swapped(image, patch) for image, patch in zip(current, patches, strict=True)]
            j = search.value(current)
            rose = j > best_j
            for i in (~rose).nonzero().flatten().tolist():
                current[i][patches[i].window] = before[i]
            best_j = torch.where(rose, j, best_j)
        return current


class _Shapes(Protocol):
    """What is tried in one norm, sample by sample; ``draws`` uniform numbers decide a query."""

    draws: int
    least_side: int

    def first(self, ball: Ball, sample: int, generator: torch.Generator) -> Tensor:
        """The first image [3, H, W]."""

    def patch(self, current: Tensor, ball: Ball, sample: int, side: int, draw: Tensor) -> Patch:
        """What a query changes of ``current`` [3, H, W], which it leaves alone; the changed image is in the ball."""


class _Corners:
    """Pixels at the faces of an L∞ ball."""

    draws = 5  # place (row, column) and three signs
    least_side = 1

    def first(self, ball: Ball, sample: int, generator: torch.Generator) -> Tensor:
        stripes = torch.rand((3, 1, ball.center.shape[-1]), generator=generator) < 0.5
        return torch.where(stripes.to(ball.center.device), ball.low[sample], ball.high[sample])

    def patch(self, current: Tensor, ball: Ball, sample: int, side: int, draw: Tensor) -> Patch:
        window = window_at(draw[:2], side, current.shape)
        low = (draw[2:] < 0.5)[:, None, None].to(current.device)
        return Patch(window, torch.where(low, ball.low[sample][window], ball.high[sample][window]))


def _swapped(image: Tensor, patch: Patch) -> Tensor:
    """Put the patch into ``image``; what was there."""
    before = image[patch.window].clone()
    image[patch.window] = patch.pixels
    return before


def square_side(progress: float, p_init: float, height: int, width: int, least: int = 1) -> int:
    """Side in pixels of the square at ``progress`` in [0, 1) of the budget; at least ``least``, at most the image."""
    halvings = sum(progress * 10_000 > step for step in HALVINGS)
    side = round((p_init / 2**halvings * height * width) ** 0.5)
    return int(min(max(side, least), height, width))


def _draws(generator: torch.Generator, queries: int, count: int) -> Tensor:
    """All random numbers of a sample at once [queries, count]."""
    return torch.rand((queries, count), generator=generator, dtype=torch.float64)
