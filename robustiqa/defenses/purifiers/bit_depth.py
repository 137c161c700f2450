"""Bit-depth reduction (Xu, Evans and Qi, NDSS 2018, arXiv 1704.01155: feature squeezing)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.substitute import lend_gradient


@dataclass(frozen=True)
class BitDepth(Purifier):
    """Round every channel to ``bits`` bits. A staircase: attacks go through it with the identity's gradient (BPDA)."""

    name: ClassVar[str] = "bit-depth"
    paper: ClassVar[str] = "Xu et al., NDSS 2018, arXiv 1704.01155"

    bits: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 8:
            raise InvalidInput(f"bit-depth: bits={self.bits} is out of 1..8.")

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        levels = 2**self.bits - 1
        return lend_gradient((x * levels).round() / levels, x)
