"""FFDNet as a purifier (Zhang, Zuo and Zhang, IEEE TIP 27(9), 2018, arXiv 1710.04026)."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.denoisers import FFDNET_DEEPEST, FFDNet, load_ffdnet


@dataclass(frozen=True)
class FFDNetPurifier(Purifier):
    """Denoise with FFDNet told a noise of deviation ``sigma`` (images in [0, 1]); ``weights`` is a file or folder."""

    name: ClassVar[str] = "ffdnet"
    paper: ClassVar[str] = "Zhang et al., IEEE TIP 2018, arXiv 1710.04026"

    sigma: float = 15 / 255
    weights: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sigma <= FFDNET_DEEPEST:
            raise InvalidInput(f"ffdnet: sigma={self.sigma:.4g} is out of [0, 75/255], what FFDNet was trained on.")

    @cached_property
    def network(self) -> FFDNet:
        return load_ffdnet(self.weights)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        denoised: Tensor = self.network(x, self.sigma)
        return denoised.clamp(0, 1)
