"""Gabor filters (Appendix B): energy in four orientations of one band; the pyramid supplies the other bands."""

import math
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.filters import gaussian_window
from robustiqa.models.birqa.features.half import Feature, Half, luma
from robustiqa.models.birqa.features.maps import convolve

FREQUENCY: Final = 0.25  # cycles per pixel; one octave of bandwidth, so that adjacent levels meet
SIGMA: Final = math.sqrt(math.log(2) / 2) / math.pi * 3 / FREQUENCY
TAPS: Final = 15  # three sigma on either side
C_GABOR: Final = (2 / 255) ** 2


def energies(y: Tensor) -> Tensor:
    """Energy of luma at 0, 45, 90 and 135 degrees [N, 4, H, W]: |complex response|^2, a quarter of a wave's squared
    amplitude. A round Gaussian times a plane wave is separable, so that five row and then eight column filters do.
    """
    offset = torch.arange(TAPS, dtype=y.dtype, device=y.device) - TAPS // 2
    window = gaussian_window(TAPS, SIGMA, y)
    straight, slant = (2 * math.pi * f * offset for f in (FREQUENCY, FREQUENCY / math.sqrt(2)))
    waves = [window, *(window * f for phase in (straight, slant) for f in (phase.cos(), phase.sin()))]
    flat, cos, sin, slant_cos, slant_sin = waves
    columns = y.new_zeros(8, 5, TAPS)  # outputs: four real parts, then four imaginary ones; inputs: as in waves
    columns[0, 1], columns[4, 2] = flat, flat
    columns[1, 3], columns[1, 4], columns[5, 4], columns[5, 3] = slant_cos, -slant_sin, slant_cos, slant_sin
    columns[2, 0], columns[6, 0] = cos, sin
    columns[3, 3], columns[3, 4], columns[7, 4], columns[7, 3] = slant_cos, slant_sin, -slant_cos, slant_sin
    responses = convolve(y, torch.stack(waves)[:, None, None], columns[..., None]).square()
    return responses[:, :4] + responses[:, 4:]


def gabor_energies(half: Half) -> Tensor:
    """:func:`energies` of luma [N, 4, H, W]."""
    return energies(half[luma])


def gabor(ref: Half, dist: Half) -> Tensor:
    """Which image has more energy in each orientation, signed, in (-1, 1)."""
    a, b = ref[gabor_energies], dist[gabor_energies]
    return (b - a) / (a + b + C_GABOR)


GABOR: Final = Feature(4, gabor, (gabor_energies,))
