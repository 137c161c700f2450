"""Noise: white in RGB and in YCbCr, impulse, multiplicative, and noise followed by a denoiser."""

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2ycbcr, ycbcr2rgb
from skimage.restoration import denoise_nl_means

Image = NDArray[np.float64]


def white(image: Image, variance: float, rng: np.random.Generator) -> Image:
    """Gaussian noise of ``variance`` (images in [0, 1]) in each of R, G and B."""
    return np.clip(image + rng.normal(0, variance**0.5, image.shape), 0, 1)


def white_ycbcr(image: Image, variance: float, rng: np.random.Generator) -> Image:
    """Gaussian noise of ``variance`` in each of Y, Cb and Cr."""
    noisy = rgb2ycbcr(image) + 255 * rng.normal(0, variance**0.5, image.shape)
    return np.asarray(np.clip(ycbcr2rgb(noisy), 0, 1))


def impulse(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Salt and pepper: each sample of each channel is 0 or 1 with probability ``density``."""
    draw = rng.random(image.shape)
    return np.where(draw < density / 2, 0.0, np.where(draw < density, 1.0, image))


def multiplicative(image: Image, variance: float, rng: np.random.Generator) -> Image:
    """Speckle: image * (1 + n) with n uniform, of mean 0 and ``variance``."""
    reach = (3 * variance) ** 0.5
    return np.clip(image * (1 + rng.uniform(-reach, reach, image.shape)), 0, 1)


def denoised(image: Image, variance: float, rng: np.random.Generator) -> Image:
    """White noise of ``variance``, then a denoiser in each channel.

    KADID-10k used a DnCNN trained up to a noise deviation of 55/255; here it is non-local means told at most that
    deviation, so that heavier noise survives in part, as it did there.
    """
    noisy = white(image, variance, rng)
    sigma = min(variance**0.5, 55 / 255)
    channels = [
        denoise_nl_means(noisy[..., c], patch_size=5, patch_distance=5, h=0.8 * sigma, sigma=sigma, fast_mode=True)
        for c in range(3)
    ]
    return np.stack(channels, -1)
