"""Spatial: jitter, moved patches, pixelation and colour blocks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

Image = NDArray[np.float64]


def jitter(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Five random warps in a row; each moves every pixel by N(0, ``amount``) in both directions."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float64)
    for _ in range(5):
        offset = rng.normal(0, amount, (2, *rows.shape))
        where = np.stack([rows - offset[0], columns - offset[1]])
        image = np.stack([ndimage.map_coordinates(image[..., c], where, order=1, mode="nearest") for c in range(3)], -1)
    return image


def non_eccentricity_patch(image: Image, count: float, rng: np.random.Generator) -> Image:
    """``count`` patches of 16 x 16 pixels copied to a place up to 8 pixels away."""
    moved, size, reach = image.copy(), 16, 8
    for _ in range(round(count)):
        row, column = (int(rng.integers(reach, max(reach, side - size - reach) + 1)) for side in image.shape[:2])
        down, right = (int(step) for step in rng.integers(-reach, reach + 1, 2))
        patch = moved[row : row + size, column : column + size].copy()
        target = moved[row + down : row + down + size, column + right : column + right + size]
        target[:] = patch[: target.shape[0], : target.shape[1]]
    return moved


def pixelate(image: Image, strength: float, _rng: np.random.Generator) -> Image:
    """Nearest-neighbour resize to the fraction 0.95 - ``strength`` ** 0.6 and back."""
    fraction = max(0.02, 0.95 - strength**0.6)
    picture = Pillow.fromarray(np.round(image * 255).astype(np.uint8))
    small = picture.resize((max(1, int(picture.width * fraction)), max(1, int(picture.height * fraction))), 0)
    return np.asarray(small.resize(picture.size, 0)) / 255.0


def color_block(image: Image, count: float, rng: np.random.Generator) -> Image:
    """``count`` squares of 32 x 32 pixels in random places and colours."""
    painted = image.copy()
    for _ in range(round(count)):
        row, column = (int(rng.integers(0, max(1, side - 31))) for side in image.shape[:2])
        painted[row : row + 32, column : column + 32] = rng.random(3)
    return painted
