"""An example attack: sign steps that shrink from eps to nothing."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.attacks.base import Access, Attack, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class Mine(Attack):
    """``steps`` sign steps from a random point; their size falls linearly from eps to eps / steps."""

    name: ClassVar[str] = "mine"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "an example"

    steps: int = 10

    def __post_init__(self) -> None:
        at_least(self, steps=1)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        """J is to be maximised whatever the direction; every candidate asked for is a contender for the result."""
        x = ball.random_point(random)
        for step in range(self.steps):
            _, gradient = search.value_and_grad(x)
            size = ball.eps * (self.steps - step) / self.steps
            x = ball.project(x + size * ball.steepest(gradient))
        return x
