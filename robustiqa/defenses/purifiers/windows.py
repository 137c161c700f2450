"""Windows around every pixel, which rank and bilateral filters share."""

import torch
from torch import Tensor
from torch.nn import functional as F

from robustiqa.core.errors import InvalidInput


def neighbours(x: Tensor, size: int) -> Tensor:
    """The ``size`` x ``size`` windows of ``x`` [N, C, H, W], borders replicated: [N, C, size², H, W]."""
    half = size // 2
    padded = F.pad(x, (half, half, half, half), mode="replicate")
    height, width = x.shape[-2:]
    return torch.stack(
        [padded[..., i : i + height, j : j + width] for i in range(size) for j in range(size)], dim=2
    )


def check_odd(name: str, size: int) -> None:
    """Refuse windows without a middle pixel.

    Raises:
        InvalidInput: ``size`` is not an odd number from 3 to 15.
    """
    if size not in range(3, 16, 2):
        raise InvalidInput(f"{name}: size={size} is not an odd number from 3 to 15.")
