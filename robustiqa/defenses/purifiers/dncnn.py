"""DnCNN as a purifier (Zhang et al., IEEE TIP 26(7), 2017, arXiv 1608.03981)."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor

from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.denoisers import DnCNN, load_dncnn


@dataclass(frozen=True)
class DnCNNPurifier(Purifier):
    """Denoise with DnCNN-B, which estimates the noise level itself; ``weights`` is a file or folder."""

    name: ClassVar[str] = "dncnn"
    paper: ClassVar[str] = "Zhang et al., IEEE TIP 2017, arXiv 1608.03981"

    weights: str | None = None

    @cached_property
    def network(self) -> DnCNN:
        return load_dncnn(self.weights)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        denoised: Tensor = self.network(x)
        return denoised.clamp(0, 1)
