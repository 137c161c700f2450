"""DiffPure's procedure (Nie et al., ICML 2022, arXiv 2205.07460) over a noise-conditional denoiser.

The image is diffused to time t* of the variance-preserving SDE and brought back by solving the reverse SDE, whose score
a denoiser D of known noise level gives: s(x, t) = (sqrt(a) D(x / sqrt(a)) - x) / (1 - a), a = a(t) (Tweedie's formula).
Here D is FFDNet, a denoiser for photographs. This is *not* the paper's ImageNet diffusion model: it removes noise, but
knows little of what photographs look like, so it neither protects nor hallucinates as much. Whoever has such a model
gives it as ``denoiser``: its file and class, as in ``diffpure:denoiser=my_model.py:MyDenoiser``.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from robustiqa.core.errors import BrokenPlugin, InvalidInput
from robustiqa.defenses.purifiers.base import Generators, Purifier
from robustiqa.defenses.purifiers.denoisers import FFDNET_DEEPEST, load_ffdnet
from robustiqa.models.from_file import run_named

BETA_0: Final = 0.1
BETA_1: Final = 20.0
OWN: Final = "ffdnet"


def signal_share(time: float) -> float:
    """a(t): the share of the signal's variance that is left at time t in [0, 1] of the VP-SDE."""
    return math.exp(-0.5 * (BETA_1 - BETA_0) * time**2 - BETA_0 * time)


def noise_level(time: float) -> float:
    """Deviation of the noise in x / sqrt(a), for images in [0, 1] (the SDE's own are in [-1, 1])."""
    a = signal_share(time)
    return 0.5 * math.sqrt((1 - a) / a)


def time_of(level: float) -> float:
    """The time t whose :func:`noise_level` is ``level``."""
    decay = math.log(1 + 4 * level**2)  # -log a(t)
    slope = BETA_1 - BETA_0
    return (math.sqrt(BETA_0**2 + 2 * slope * decay) - BETA_0) / slope


@dataclass(frozen=True)
class DiffPure(Purifier):
    """Diffuse to time ``t`` and back in ``steps`` Euler-Maruyama steps; attacks follow the gradient through them all.

    The paper's t* is 0.1 to 0.15 at L∞ 4/255 to 8/255, with steps of 1e-3. ``denoiser`` names a class that is built
    without arguments: a torch module that loads its own weights and whose call with images [N, 3, H, W] in [0, 1] and
    the deviation of their noise gives the denoised images. An attribute ``deepest`` says which deviation is its limit.
    """

    name: ClassVar[str] = "diffpure"
    paper: ClassVar[str] = "Nie et al., ICML 2022, arXiv 2205.07460; here over FFDNet"

    t: float = 0.1
    steps: int = 10
    weights: str | None = None
    denoiser: str = OWN

    def __post_init__(self) -> None:
        if not 0 < self.t <= 1 or self.steps < 1:
            raise InvalidInput(f"diffpure: t={self.t} must be in (0, 1] and steps={self.steps} at least 1.")
        if self.denoiser == OWN:
            self._check_depth(FFDNET_DEEPEST, "FFDNet")
        elif self.weights is not None:
            raise InvalidInput(f"diffpure: {self.denoiser} loads its own weights; leave out weights={self.weights}.")

    def _check_depth(self, deepest: float, name: str) -> None:
        level = noise_level(self.t)
        if level > deepest:
            raise InvalidInput(
                f"diffpure: t={self.t} needs a denoiser for a noise of {255 * level:.0f}/255; {name} "
                f"knows up to {255 * deepest:.0f}/255. Choose t of at most {math.floor(100 * time_of(deepest)) / 100}."
            )

    @property
    def randomised(self) -> bool:
        return True

    @cached_property
    def network(self) -> nn.Module:
        if self.denoiser == OWN:
            return load_ffdnet(self.weights)
        network = _load(self.denoiser)
        self._check_depth(float(getattr(network, "deepest", math.inf)), self.denoiser)
        return network.eval().requires_grad_(requires_grad=False)

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


def _load(text: str) -> nn.Module:
    module, name = run_named(text, "denoiser")
    found = vars(module).get(name)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise InvalidInput(f"denoiser {text!r}: {name} is no class of torch.nn.Module there.")
    try:
        return found()
    except Exception as error:
        raise BrokenPlugin(f"denoiser {text!r} cannot be built: {error!r}") from error


def _normal(x: Tensor, generators: Generators) -> Tensor:
    rows = [torch.randn(x.shape[1:], generator=generator, dtype=x.dtype) for generator in generators]
    return torch.stack(rows).to(x.device)
