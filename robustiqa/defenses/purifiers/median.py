"""Median filter (Xu, Evans and Qi, NDSS 2018, arXiv 1704.01155: spatial smoothing)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.windows import check_odd, neighbours


@dataclass(frozen=True)
class Median(Purifier):
    """The median of each ``size`` x ``size`` window, per channel; its gradient goes to the pixel that was chosen."""

    name: ClassVar[str] = "median"
    paper: ClassVar[str] = "Xu et al., NDSS 2018, arXiv 1704.01155"

    size: int = 3

    def __post_init__(self) -> None:
        check_odd(self.name, self.size)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        return neighbours(x, self.size).median(dim=2).values
