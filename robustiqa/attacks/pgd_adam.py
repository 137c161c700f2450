"""PGD with Adam's directions and a falling step (Gowal, Uesato, Qin, Huang, Mann and Kohli, 2019, arXiv 1910.09338).

Signs throw away how much each pixel matters, and steps of one size end on the ball's faces. Adam's directions keep
some of the first, and a step that falls to nothing settles inside the ball, where the best of a distance often lies.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from robustiqa.attacks.adam import Adam
from robustiqa.attacks.base import Access, Attack, Calls, at_least, known_norm
from robustiqa.attacks.budget import Ball, Norm
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class PGDAdam(Attack):
    """Adam on J, projected into the ball; its rate falls linearly from ``lr`` (a share of ε) to 0.

    ``start`` is the ``image``, or the ``best`` that the search has found: in an ensemble that of the members before, on
    its own the image itself. ``norm`` is linf or l2.
    """

    name: ClassVar[str] = "pgd-adam"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Gowal et al., 2019, arXiv 1910.09338"

    steps: int = 100
    lr: float = 1.0
    norm: Norm = "linf"
    start: Literal["image", "best"] = "image"

    def __post_init__(self) -> None:
        at_least(self, steps=1, lr=0)
        known_norm(self)
        if self.start not in {"image", "best"}:
            raise InvalidInput(f"pgd-adam: start={self.start!r} is not one of image, best.")

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        x = search.found.best.clone() if self.start == "best" else x
        adam = Adam(x)
        for step in range(self.steps):
            _, gradient = search.value_and_grad(x)
            rate = self.lr * ball.eps * (1 - step / self.steps)
            x = ball.project(x + rate * adam.direction(gradient))
        return x
