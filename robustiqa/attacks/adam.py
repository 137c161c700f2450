"""Adam as attacks use it (Kingma and Ba, ICLR 2015, arXiv 1412.6980): moments are per pixel, so samples do not meet."""

from typing import Final

import torch
from torch import Tensor

BETAS: Final = (0.9, 0.999)
STABILITY: Final = 1e-8


class Adam:
    """The moments of gradients of the shape of ``x``."""

    def __init__(self, x: Tensor) -> None:
        self._first, self._second, self._step = torch.zeros_like(x), torch.zeros_like(x), 0

    def direction(self, gradient: Tensor, stability: Tensor | float = STABILITY) -> Tensor:
        """The step of learning rate 1, uphill."""
        self._step += 1
        self._first = BETAS[0] * self._first + (1 - BETAS[0]) * gradient
        self._second = BETAS[1] * self._second + (1 - BETAS[1]) * gradient**2
        rate = (1 - BETAS[1] ** self._step) ** 0.5 / (1 - BETAS[0] ** self._step)
        direction: Tensor = rate * self._first / (self._second.sqrt() + stability)
        return direction
