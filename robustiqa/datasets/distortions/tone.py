"""Tone and detail: contrast curve, grey-level quantisation, sharpening."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline
from skimage.color import rgb2gray, rgb2lab

from robustiqa.datasets.distortions.color import from_lab

Image = NDArray[np.float64]


def curve(values: NDArray[np.float64], knots: Mapping[float, float]) -> NDArray[np.float64]:
    """Values passed through the not-a-knot cubic spline of ``knots`` (a parabola for three) and clipped to [0, 1]."""
    return np.clip(CubicSpline(list(knots), list(knots.values()))(values), 0, 1)


def contrast(image: Image, amount: float, _rng: np.random.Generator) -> Image:
    """An S-curve through (.3, .25 - a/4), (.5, .5) and (.7, .75 + a/4)."""
    return curve(image, {0.0: 0.0, 0.3: 0.25 - amount / 4, 0.5: 0.5, 0.7: 0.75 + amount / 4, 1.0: 1.0})


def linear_contrast(image: Image, factor: float, _rng: np.random.Generator) -> Image:
    """Deviations from the image's mean times ``factor``. Not one of KADID-10k's types; training uses it."""
    mean = image.mean()
    scaled: Image = np.clip(mean + factor * (image - mean), 0, 1)
    return scaled


def sharpen(image: Image, amount: float, _rng: np.random.Generator) -> Image:
    """Unsharp masking of CIELAB lightness with a Gaussian of sigma 6 on 13 x 13 pixels."""
    lab = rgb2lab(image)
    light = lab[..., 0]
    detail = light - ndimage.gaussian_filter(light, 6, mode="nearest", radius=6)
    lab[..., 0] = np.clip(light + amount * detail, 0, 100)
    return from_lab(lab)


def quantization(image: Image, levels: float, _rng: np.random.Generator) -> Image:
    """Every channel quantised to ``levels`` values, the minimum-variance (Lloyd-Max) ones of the grey image."""
    centers = _lloyd_max(rgb2gray(image).ravel(), max(2, round(levels)))
    return centers[np.searchsorted((centers[1:] + centers[:-1]) / 2, image)]


def _lloyd_max(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Centres that minimise the variance within their cells; stops when a histogram bin no longer changes cell."""
    histogram, edges = np.histogram(values, bins=256, range=(0, 1))
    bins = (edges[1:] + edges[:-1]) / 2
    low, high = np.flatnonzero(histogram)[[0, -1]]
    centers = np.linspace(bins[low], bins[high], count)
    cell = np.full(bins.shape, -1)
    while not np.array_equal(cell, new := np.searchsorted((centers[1:] + centers[:-1]) / 2, bins)):
        cell = new
        mass = np.bincount(cell, histogram, count)
        mean = np.bincount(cell, histogram * bins, count) / np.maximum(mass, 1)
        centers = np.where(mass > 0, mean, centers)
    if not math.isclose(float(np.sort(centers).sum()), float(centers.sum())):  # pragma: no cover
        raise ArithmeticError("Lloyd-Max centres left their order")
    return centers
