"""The table of types and levels, as published with KADID-10k (Lin, Hosu and Saupe, QoMEX 2019, Table II and code).

The parameters are KADID-10k's; the code is ours, so images are KADID-style, not KADID-10k's own. Known differences:
the denoiser of type 15 (non-local means here, a DnCNN there), the quantiser of type 6 (median cut and k-means here)
and the random draws.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import derive_seed
from robustiqa.datasets.distortions import blur, brightness, color, compression, noise, spatial, tone

Image = NDArray[np.float64]
LEVELS: Final = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Distortion:
    """One distortion type: its KADID-10k number, its five published amounts and the function that applies one.

    ``apply(image, amount, rng)`` takes and returns float64 [H, W, 3], nominally in [0, 1].
    """

    code: int
    name: str
    amounts: tuple[float, float, float, float, float]
    apply: Callable[[Image, float, np.random.Generator], Image]
    lowest: float = -math.inf

    def amount(self, level: float) -> float:
        """The parameter at a level: published at 1 to 5, linear between, continued beyond.

        Beyond level 5 the last step is repeated as a ratio where all amounts have one sign, as a difference
        elsewhere; below level 1 the first step likewise.
        """
        if 1 <= level <= 5:
            return float(np.interp(level, LEVELS, self.amounts))
        end, before = (self.amounts[-1], self.amounts[-2]) if level > 5 else (self.amounts[0], self.amounts[1])
        steps = level - 5 if level > 5 else 1 - level
        if end * before > 0:
            return max(self.lowest, end * math.pow(end / before, steps))
        return max(self.lowest, end + (end - before) * steps)


_TABLE: Final = (
    Distortion(1, "gaussian-blur", (0.1, 0.5, 1, 2, 5), blur.gaussian),
    Distortion(2, "lens-blur", (1, 2, 4, 6, 8), blur.lens),
    Distortion(3, "motion-blur", (1, 2, 4, 6, 10), blur.motion),
    Distortion(4, "color-diffusion", (1, 3, 6, 8, 12), color.diffusion),
    Distortion(5, "color-shift", (1, 3, 6, 8, 12), color.shift),
    Distortion(6, "color-quantization", (64, 48, 32, 16, 8), color.quantization, lowest=2),
    Distortion(7, "color-saturation-hsv", (0.4, 0.2, 0.1, 0, -0.4), color.saturation_hsv),
    Distortion(8, "color-saturation-lab", (1, 2, 3, 6, 9), color.saturation_lab),
    Distortion(9, "jpeg2000", (16, 32, 45, 120, 400), compression.jpeg2000),
    Distortion(10, "jpeg", (43, 36, 24, 7, 4), compression.jpeg, lowest=1),
    Distortion(11, "white-noise", (0.001, 0.002, 0.003, 0.005, 0.01), noise.white),
    Distortion(12, "white-noise-ycbcr", (0.0001, 0.0005, 0.001, 0.002, 0.003), noise.white_ycbcr),
    Distortion(13, "impulse-noise", (0.001, 0.005, 0.01, 0.02, 0.03), noise.impulse),
    Distortion(14, "multiplicative-noise", (0.001, 0.005, 0.01, 0.02, 0.05), noise.multiplicative),
    Distortion(15, "denoise", (0.01, 0.03, 0.05, 0.1, 0.15), noise.denoised),
    Distortion(16, "brighten", (0.1, 0.2, 0.4, 0.7, 1.1), brightness.brighten),
    Distortion(17, "darken", (0.05, 0.1, 0.2, 0.4, 0.8), brightness.darken),
    Distortion(18, "mean-shift", (0.15, 0.08, 0, -0.08, -0.15), brightness.mean_shift),
    Distortion(19, "jitter", (0.05, 0.1, 0.2, 0.5, 1), spatial.jitter),
    Distortion(20, "non-eccentricity-patch", (20, 40, 60, 80, 100), spatial.non_eccentricity_patch),
    Distortion(21, "pixelate", (0.01, 0.05, 0.1, 0.2, 0.5), spatial.pixelate),
    Distortion(22, "quantization", (20, 16, 13, 10, 7), tone.quantization, lowest=2),
    Distortion(23, "color-block", (2, 4, 6, 8, 10), spatial.color_block),
    Distortion(24, "sharpen", (1, 2, 3, 6, 12), tone.sharpen),
    Distortion(25, "contrast", (0.3, 0.15, 0, -0.4, -0.6), tone.contrast),
)
TYPES: Final = tuple(item.name for item in _TABLE)


def distortion(code: int) -> Distortion:
    """The distortion with KADID-10k's number ``code``, 1 to 25."""
    if not 1 <= code <= len(_TABLE):
        raise InvalidInput(f"distortion code {code} is not in 1..{len(_TABLE)}.")
    return _TABLE[code - 1]


def distort(rgb: NDArray[np.uint8], code: int, level: float, seed: int | str) -> NDArray[np.uint8]:
    """Distort an 8-bit image [H, W, 3]; the same arguments give the same pixels.

    Args:
        rgb: the pristine image.
        code: KADID-10k's number of the type, 1 to 25.
        level: 1 to 5 as published, or any number between or beyond.
        seed: usually the name of the image; the random draws follow from (seed, code, level).
    """
    chosen = distortion(code)
    rng = np.random.default_rng(derive_seed("distortion", seed, code, float(level)))
    distorted = chosen.apply(rgb / 255.0, chosen.amount(level), rng)
    return np.clip(np.round(distorted * 255), 0, 255).astype(np.uint8)
