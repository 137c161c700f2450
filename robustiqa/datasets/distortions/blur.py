"""Blurs: Gaussian, lens (disk) and linear motion, borders replicated."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]


def gaussian(image: Image, sigma: float, _rng: np.random.Generator) -> Image:
    """Gaussian of standard deviation ``sigma`` pixels, cut at 2 sigma."""
    return ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest", radius=(*2 * (math.ceil(2 * sigma),), 0))


def gaussian_dark_border(image: Image, sigma: float, _rng: np.random.Generator) -> Image:
    """Gaussian of ``sigma`` pixels with zeros outside the image, which leaves a dark frame.

    Not one of KADID-10k's types; training uses it, since filters of much software pad with zeros.
    """
    return ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="constant")


def lens(image: Image, radius: float, _rng: np.random.Generator) -> Image:
    """Mean over a disk of ``radius`` pixels."""
    half = math.ceil(radius)
    fine = (np.arange((2 * half + 1) * 11) + 0.5) / 11 - half - 0.5
    inside = np.hypot(*np.meshgrid(fine, fine)) <= radius
    return convolve(image, inside.reshape(2 * half + 1, 11, 2 * half + 1, 11).mean((1, 3)))


def motion(image: Image, length: float, rng: np.random.Generator) -> Image:
    """Mean along a segment of ``length`` pixels at a random angle, drawn with linear anti-aliasing."""
    angle = math.radians(rng.integers(0, 181))
    reach, half = (max(1.0, length) - 1) / 2, math.ceil(max(1.0, length) / 2)
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = np.clip(x * math.cos(angle) - y * math.sin(angle), -reach, reach)
    distance = np.hypot(x - along * math.cos(angle), y + along * math.sin(angle))
    return convolve(image, np.maximum(0, 1 - distance))


def convolve(image: Image, kernel: NDArray[np.float64]) -> Image:
    """Each channel convolved with the normalised ``kernel``, borders replicated."""
    from scipy.signal import fftconvolve  # noqa: PLC0415 (slow import, needed for two distortions)

    half = kernel.shape[0] // 2
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="edge")
    return np.stack(
        [fftconvolve(padded[..., c], kernel / kernel.sum(), mode="valid") for c in range(image.shape[2])], -1
    )
