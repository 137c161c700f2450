"""Total-variation denoising (Rudin, Osher and Fatemi, 1992) by Chambolle's projection (J. Math. Imaging Vis., 2004)."""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier

TAU: Final = 0.25  # step of the dual ascent; Chambolle proves convergence up to 1/8 and observes it up to 1/4


@dataclass(frozen=True)
class TotalVariation(Purifier):
    """The image nearest to x with little total variation, per channel; larger ``weight`` smooths more.

    A fixed number of ``steps``, so that samples do not stop each other; attacks follow the gradient through them all.
    """

    name: ClassVar[str] = "tv"
    paper: ClassVar[str] = "Rudin et al., 1992; Chambolle, 2004; as a defense Guo et al., ICLR 2018, arXiv 1711.00117"

    weight: float = 0.07
    steps: int = 20

    def __post_init__(self) -> None:
        if not self.weight > 0 or self.steps < 1:
            raise InvalidInput(f"tv: weight={self.weight} must be above 0 and steps={self.steps} at least 1.")

    def purify(self, x: Tensor, generators: Generators) -> Tensor:  # noqa: ARG002
        down, right = torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(self.steps):
            image = x - self.weight * _divergence(down, right)
            dy, dx = _differences(image)
            # the root needs a floor: its slope at 0 is infinite
            norm = 1 + TAU / self.weight * (dy * dy + dx * dx + 1e-12).sqrt()
            down, right = (down - TAU / self.weight * dy) / norm, (right - TAU / self.weight * dx) / norm
        return (x - self.weight * _divergence(down, right)).clamp(0, 1)


def _differences(x: Tensor) -> tuple[Tensor, Tensor]:
    """Forward differences down and right, 0 across the border."""
    dy = torch.cat((x[..., 1:, :] - x[..., :-1, :], torch.zeros_like(x[..., :1, :])), -2)
    dx = torch.cat((x[..., :, 1:] - x[..., :, :-1], torch.zeros_like(x[..., :, :1])), -1)
    return dy, dx


def _divergence(down: Tensor, right: Tensor) -> Tensor:
    """Minus the adjoint of :func:`_differences`."""
    rows = down - torch.cat((torch.zeros_like(down[..., :1, :]), down[..., :-1, :]), -2)
    columns = right - torch.cat((torch.zeros_like(right[..., :, :1]), right[..., :, :-1]), -1)
    return rows + columns
