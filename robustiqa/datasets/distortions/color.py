"""Colour: diffusion, shift, quantisation and two saturations."""

import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage
from skimage.color import lab2rgb, rgb2gray, rgb2lab

from robustiqa.datasets.distortions.blur import gaussian

Image = NDArray[np.float64]


def diffusion(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Chroma of CIELAB blurred with sigma 1.5 ``amount`` + 2 and multiplied by ``amount``."""
    lab = rgb2lab(image)
    lab[..., 1:] = gaussian(lab[..., 1:], 1.5 * amount + 2, rng) * amount
    return from_lab(lab)


def shift(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """The green channel moved by ``amount`` pixels in a random direction, blended in near edges."""
    dy, dx = np.gradient(rgb2gray(image))
    edges = _stretch(ndimage.gaussian_filter(np.hypot(dx, dy), 4, mode="nearest"))
    edges = np.clip(edges, *np.percentile(edges, (1, 99)))
    direction = rng.random(2)
    rows, columns = np.round(direction / np.linalg.norm(direction) * amount).astype(int)
    padded = np.pad(image[..., 1], ((rows, 0), (columns, 0)), mode="edge")
    moved = padded[: image.shape[0], : image.shape[1]]
    shifted = image.copy()
    shifted[..., 1] = moved * edges + image[..., 1] * (1 - edges)
    return shifted


def quantization(image: Image, colors: float, _rng: np.random.Generator) -> Image:
    """A palette of ``colors`` colours chosen by median cut and k-means, with Floyd-Steinberg dither."""
    picture = Pillow.fromarray(np.round(image * 255).astype(np.uint8))
    palette = picture.quantize(round(colors), method=Pillow.Quantize.MEDIANCUT, kmeans=4)
    dithered = picture.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG)
    return np.asarray(dithered.convert("RGB")) / 255.0


def saturation_hsv(image: Image, factor: float, _rng: np.random.Generator) -> Image:
    """HSV saturation times ``factor``; a negative factor swaps hues for their complements.

    With value V = max(R, G, B) kept, scaling S moves each channel as V - factor (V - channel).
    """
    value = image.max(-1, keepdims=True)
    scaled: Image = value - factor * (value - image)
    return scaled


def saturation_lab(image: Image, factor: float, _rng: np.random.Generator) -> Image:
    """Chroma of CIELAB times ``factor``."""
    lab = rgb2lab(image)
    lab[..., 1:] *= factor
    return from_lab(lab)


def _stretch(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = values.min(), values.max()
    return values if low == high else (values - low) / (high - low)


def from_lab(lab: NDArray[np.float64]) -> Image:
    """CIELAB to sRGB in [0, 1]; colours out of gamut, which strong amounts produce on purpose, are clipped."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Conversion from CIE-LAB", category=UserWarning)
        return np.asarray(lab2rgb(lab))
