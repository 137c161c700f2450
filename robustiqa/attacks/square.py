"""Square Attack on a score (Andriushchenko, Croce, Flammarion and Hein, ECCV 2020, arXiv 1912.00049)."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm
from robustiqa.attacks.search import Search
from robustiqa.attacks.square_l2 import Bumps, Patch, window_at
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams

# the share of pixels in a square halves after these of 10,000 iterations, scaled to the budget
HALVINGS: Final = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class Square(Attack):
    """Random search in squares, kept where J rises. It stops only when its queries are spent.

    In the L∞ ball the first query is an image of vertical stripes, and each further one sets a square per sample to ±ε,
    one sign per channel. With ``norm=l2`` bumps take the place of both (algorithm 3 of the paper), and the mass of a
    second square is moved into the first. ``queries`` counts exactly the forward passes per sample.

    Two things differ from the paper in the L∞ ball. Stripes of ±ε can cost a score more than all squares win back, so
    the search starts from the image itself where that is better, which one query tells; ``start=stripes`` always
    starts from stripes. And where a square did not help, the next query tries its opposite, which near the image does
    if J is linear there; ``opposite=false`` draws a new one.
    """

    name: ClassVar[str] = "square"
    access: ClassVar[Access] = "black-box"
    paper: ClassVar[str] = "Andriushchenko et al., ECCV 2020, arXiv 1912.00049"

    queries: int = 5000
    p_init: float = 0.4
    norm: Norm = "linf"
    start: Literal["better", "stripes"] = "better"
    opposite: bool = True

    def __post_init__(self) -> None:
        at_least(self, queries=1, p_init=0)
        known_norm(self)
        if self.start not in {"better", "stripes"}:
            raise InvalidInput(f"square: start={self.start!r} is not one of better, stripes.")

    @property
    def calls(self) -> Calls:
        return Calls(values=self.queries)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        height, width = x.shape[-2:]
        generators = random.generators()
        shapes: _Shapes = _Corners() if self.norm == "linf" else Bumps()
        current = ball.project(torch.stack([shapes.first(ball, i, one) for i, one in enumerate(generators)]))
        best_j = search.value(current)
        left = self.queries - 1
        if self.start == "better" and self.norm == "linf" and left:
            clean_j, left = search.value(x), left - 1
            striped = best_j > clean_j
            current = torch.where(striped[:, None, None, None], current, x)
            best_j = torch.where(striped, best_j, clean_j)
        proposals = [_Proposals(generator, left, shapes, opposite=self.opposite) for generator in generators]
        for query in range(self.queries - left - 1, self.queries - 1):
            side = square_side(query / self.queries, self.p_init, height, width, shapes.least_side)
            patches = [shapes.patch(current[i], ball, i, *one.next(side)) for i, one in enumerate(proposals)]
            before = [_swapped(image, patch) for image, patch in zip(current, patches, strict=True)]
            j = search.value(current)
            rose = j > best_j
            for i, kept in enumerate(rose.tolist()):
                proposals[i].note(helped=kept)
                if not kept:
                    current[i][patches[i].window] = before[i]
            best_j = torch.where(rose, j, best_j)
        return current


class _Shapes(Protocol):
    """What is tried in one norm, sample by sample; ``draws`` uniform numbers decide a query."""

    draws: int
    least_side: int

    def opposed(self, draw: Tensor) -> Tensor | None:
        """The draw of the opposite change in the same place; None where there is no such thing."""

    def first(self, ball: Ball, sample: int, generator: torch.Generator) -> Tensor:
        """The first image [3, H, W]."""

    def patch(self, current: Tensor, ball: Ball, sample: int, side: int, draw: Tensor) -> Patch:
        """What a query changes of ``current`` [3, H, W], which it leaves alone; the changed image is in the ball."""


class _Corners:
    """Pixels at the faces of an L∞ ball."""

    draws = 5  # place (row, column) and three signs
    least_side = 1

    def opposed(self, draw: Tensor) -> Tensor | None:
        return torch.cat((draw[:2], 1 - draw[2:]))

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


class _Proposals:
    """The sides and draws of one sample's queries: new ones, or the opposite of one that did not help."""

    def __init__(self, generator: torch.Generator, queries: int, shapes: _Shapes, *, opposite: bool) -> None:
        draws = torch.rand((queries, shapes.draws), generator=generator, dtype=torch.float64)  # all at once: faster
        self._draws = (draws[query] for query in range(queries))  # iter() would make all views at once
        self._shapes, self._opposite = shapes, opposite
        self._tried: tuple[int, Tensor] | None = None
        self._next: tuple[int, Tensor] | None = None

    def next(self, side: int) -> tuple[int, Tensor]:
        """Side and draw of the next query, whose side would be ``side`` if it is a new one."""
        if self._next is not None:
            self._tried = None  # an opposite has none of its own
            return self._next
        self._tried = side, next(self._draws)
        return self._tried

    def note(self, *, helped: bool) -> None:
        """Whether the last query raised J."""
        self._next = None
        if self._opposite and self._tried is not None and not helped:
            side, draw = self._tried
            opposed = self._shapes.opposed(draw)
            self._next = None if opposed is None else (side, opposed)
