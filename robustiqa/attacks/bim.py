"""Basic Iterative Method, also I-FGSM (Kurakin, Goodfellow and Bengio, ICLR workshop 2017, arXiv 1607.02533)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.gradient_sign import ascend
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class BIM(Attack):
    """``steps`` steps of size ``alpha`` along the sign of the gradient, projected, from the image itself."""

    name: ClassVar[str] = "bim"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Kurakin et al., 2017, arXiv 1607.02533"

    steps: int = 10
    alpha: float = 1 / 255

    def __post_init__(self) -> None:
        at_least(self, steps=1, alpha=0)

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        return ascend(search, x, ball, self.alpha, self.steps)
