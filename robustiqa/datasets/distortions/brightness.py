"""Brightness: brighten, darken and mean shift."""

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from robustiqa.datasets.distortions.color import from_lab
from robustiqa.datasets.distortions.tone import curve

Image = NDArray[np.float64]


def brighten(image: Image, amount: float, _rng: np.random.Generator) -> Image:
    """A parabola that lifts mid grey by ``amount`` / 2: two thirds in RGB, one third in CIELAB lightness."""
    knots = {0.0: 0.0, 0.5: 0.5 + amount / 2, 1.0: 1.0}
    lab = rgb2lab(image)
    lab[..., 0] = 100 * curve(lab[..., 0] / 100, knots)
    return (2 * curve(image, knots) + from_lab(lab)) / 3


def darken(image: Image, amount: float, _rng: np.random.Generator) -> Image:
    """A parabola that lowers mid grey by ``amount`` / 2."""
    return curve(image, {0.0: 0.0, 0.5: 0.5 - amount / 2, 1.0: 1.0})


def mean_shift(image: Image, amount: float, _rng: np.random.Generator) -> Image:
    """``amount`` added to every sample."""
    return np.clip(image + amount, 0, 1)
