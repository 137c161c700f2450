"""Square Attack, L∞, on a score (Andriushchenko, Croce, Flammarion and Hein, ECCV 2020, arXiv 1912.00049)."""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

# the share of pixels in a square halves after these of 10,000 iterations, scaled to the budget
HALVINGS: Final = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class Square(Attack):
    """Random search: windows set to the ball's corners, kept where J rises. It stops only when its queries are spent.

    The first query is an image of vertical stripes; each further one sets one square per sample to ±ε, one sign per
    channel. ``queries`` counts exactly the forward passes per sample.
    """

    name: ClassVar[str] = "square"
    access: ClassVar[Access] = "black-box"
    paper: ClassVar[str] = "Andriushchenko et al., ECCV 2020, arXiv 1912.00049"

    queries: int = 5000
    p_init: float = 0.8

    def __post_init__(self) -> None:
        at_least(self, queries=1, p_init=0)

    @property
    def calls(self) -> Calls:
        return Calls(values=self.queries)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        height, width = x.shape[-2:]
        generators = random.generators()
        signs = [torch.rand((3, 1, width), generator=generator) for generator in generators]
        current = torch.where(torch.stack(signs).to(x.device) < 0.5, ball.low, ball.high)
        best_j = search.value(current)
        draws = [_draws(generator, self.queries - 1) for generator in generators]
        for query in range(self.queries - 1):
            side = square_side(query / max(1, self.queries), self.p_init, height, width)
            windows = [_window(draw[query], side, height, width) for draw in draws]
            saved = [current[i, :, rows, columns].clone() for i, (rows, columns, _) in enumerate(windows)]
            for i, (rows, columns, low) in enumerate(windows):
                corners = torch.where(low.to(x.device), ball.low[i, :, rows, columns], ball.high[i, :, rows, columns])
                current[i, :, rows, columns] = corners
            j = search.value(current)
            rose = j > best_j
            best_j = torch.where(rose, j, best_j)
            for i in (~rose).nonzero().flatten().tolist():
                rows, columns, _ = windows[i]
                current[i, :, rows, columns] = saved[i]
        return current


def square_side(progress: float, p_init: float, height: int, width: int) -> int:
    """Side in pixels of the square at ``progress`` in [0, 1) of the budget; at least 1, at most the image."""
    halvings = sum(progress * 10_000 > step for step in HALVINGS)
    side = round((p_init / 2**halvings * height * width) ** 0.5)
    return int(min(max(side, 1), height, width))


def _draws(generator: torch.Generator, queries: int) -> Tensor:
    """All random numbers of a sample at once [queries, 5]: place (row, column) and three signs."""
    return torch.rand((queries, 5), generator=generator, dtype=torch.float64)


def _window(draw: Tensor, side: int, height: int, width: int) -> tuple[slice, slice, Tensor]:
    row, column, *_ = (draw[:2] * torch.tensor([height - side + 1, width - side + 1])).long().tolist()
    return slice(row, row + side), slice(column, column + side), (draw[2:] < 0.5)[:, None, None]

