"""DiffPure's procedure (Nie et al., ICML 2022, arXiv 2205.07460) over a noise-conditional denoiser.

The image is diffused to time t* of the variance-preserving SDE and brought back by solving the reverse SDE, whose score
a denoiser D of known noise level gives: s(x, t) = (sqrt(a) D(x / sqrt(a)) - x) / (1 - a), a = a(t) (Tweedie's formula).
Here D is FFDNet, a denoiser for photographs. This is *not* the paper's ImageNet diffusion model: it removes noise, but
knows little of what photographs look like, so it neither protects nor hallucinates as much. Whoever has such a model
gives it as ``denoiser``: its path and class, as ``diffpure:denoiser=my_model.py:MyDenoiser``.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from robustiqa.core.errors import InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.denoisers import FFDNET_DEEPEST, load_ffdnet

BETA_0: Final = 0.1
BETA_1: Final = 20.0


def signal_share(time: float) -> float:
    """a(t): the share of the signal's variance that is left at time t in [0, 1] of the VP-SDE."""
    return math.exp(-0.5 * (BETA_1 - BETA_0) * time**2 - BETA_0 * time)


def noise_level(time: float) -> float:
    """Deviation of the noise in x / sqrt(a), for images in [0, 1] (the SDE's own are in [-1, 1])."""
    a = signal_share(time)
    return 0.5 * math.sqrt((1 - a) / a)


@dataclass(frozen=True)
class DiffPure(Purifier):
    """Diffuse to time ``t`` and back in ``steps`` Euler-Maruyama steps; attacks follow the gradient through them all.

    The paper's t* is 0.1 to 0.15 at L∞ 4/255 to 8/255, with steps of 1e-3.
    """

    name: ClassVar[str] = "diffpure"
    paper: ClassVar[str] = "Nie et al., ICML 2022, arXiv 2205.07460; here over FFDNet"

    t: float = 0.1
    steps: int = 10
    weights: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.t <= 1 or self.steps < 1:
            raise InvalidInput(f"diffpure: t={self.t} must be in (0, 1] and steps={self.steps} at least 1.")
        if noise_level(self.t) > FFDNET_DEEPEST:
            raise InvalidInput(
                f"diffpure: t={self.t} needs a denoiser for a noise of {255 * noise_level(self.t):.0f}/255; FFDNet "
                "knows up to 75/255. Choose t of at most 0.16."
            )

    @property
    def randomised(self) -> bool:
        return True

    @cached_property
    def network(self) -> nn.Module:
        return load_ffdnet(self.weights)

    def purify(self, x: Tensor, generators: Generators) -> Tensor:
        a = signal_share(self.t)
        noisy = math.sqrt(a) * (2 * x - 1) + math.sqrt(1 - a) * _normal(x, generators)
        step = self.t / self.steps
        for i in range(self.steps):
            noisy = self._reverse_step(noisy, self.t - i * step, step, generators, last=i == self.steps - 1)
        return ((noisy + 1) / 2).clamp(0, 1)

    def _reverse_step(self, x: Tensor, time: float, step: float, generators: Generators, *, last: bool) -> Tensor:
        a, beta = signal_share(time), BETA_0 + time * (BETA_1 - BETA_0)
        denoised: Tensor = self.network((x / math.sqrt(a) + 1) / 2, noise_level(time))
        score = (math.sqrt(a) * (2 * denoised - 1) - x) / (1 - a)
        drift = 0.5 * beta * x + beta * score
        if last:  # noise added here would stay in the picture
            return x + drift * step
        return x + drift * step + math.sqrt(beta * step) * _normal(x, generators)


def _normal(x: Tensor, generators: Generators) -> Tensor:
    rows = [torch.randn(x.shape[1:], generator=generator, dtype=x.dtype) for generator in generators]
    return torch.stack(rows).to(x.device)
