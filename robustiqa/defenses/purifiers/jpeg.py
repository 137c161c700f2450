"""JPEG compression (as a defense: Dziugaite, Ghahramani and Roy, 2016, arXiv 1608.00853)."""

import io
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import to_rgb, to_tensor
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.soft_jpeg import soft_jpeg
from robustiqa.defenses.purifiers.substitute import lend_gradient

Gradient = Literal["soft", "identity"]


@dataclass(frozen=True)
class JPEG(Purifier):
    """libjpeg's own compression at ``quality``, chroma halved. It has no gradient; attacks get a substitute (BPDA).

    ``gradient`` soft lends that of a JPEG with smooth rounding, identity lets the gradient through as it is.
    """

    name: ClassVar[str] = "jpeg"
    paper: ClassVar[str] = "Dziugaite et al., 2016, arXiv 1608.00853"

    quality: int = 50
    gradient: Gradient = "soft"

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise InvalidInput(f"jpeg: quality={self.quality} is out of 1..100.")

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        exact = torch.stack([_round_trip(row, self.quality) for row in x]).to(x)
        if not x.requires_grad:
            return exact
        return lend_gradient(exact, soft_jpeg(x, self.quality) if self.gradient == "soft" else x)


def _round_trip(image: Tensor, quality: int) -> Tensor:
    buffer = io.BytesIO()
    Image.fromarray(to_rgb(image)).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    buffer.seek(0)
    with Image.open(buffer, formats=("JPEG",)) as decoded:
        return to_tensor(np.asarray(decoded))
