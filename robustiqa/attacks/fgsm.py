"""Fast Gradient Sign Method (Goodfellow, Shlens and Szegedy, ICLR 2015, arXiv 1412.6572)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.gradient_sign import ascend
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams


@dataclass(frozen=True)
class FGSM(Attack):
    """One step of size ε along the sign of the gradient."""

    name: ClassVar[str] = "fgsm"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Goodfellow et al., ICLR 2015, arXiv 1412.6572"

    @property
    def calls(self) -> Calls:
        return Calls(gradients=1)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        return ascend(search, x, ball, ball.eps, steps=1)
