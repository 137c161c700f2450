"""Transmission errors: code-blocks of a band-pass pyramid are lost or garbled, as when coded packets go missing.

Not one of KADID-10k's types: training uses it, so that damage which varies over the image has been seen.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]
BLOCK = 16


def transmission_errors(image: Image, share: float, rng: np.random.Generator) -> Image:
    """A Laplacian pyramid of four bands in which each 16 x 16 block is hit with probability ``share`` in [0, 1].

    Of the blocks hit, four in five are lost (set to zero) and the rest are garbled (signs drawn anew).
    """
    bands, base = [], image
    for sigma in (0.8, 1.6, 3.2, 6.4):
        smooth = ndimage.gaussian_filter(base, (sigma, sigma, 0), mode="nearest")
        bands.append(base - smooth)
        base = smooth
    for scale, band in enumerate(bands):
        size = BLOCK * 2**scale // 2
        grid = tuple(-(-side // size) for side in image.shape[:2])
        draw = _blocks(rng.random(grid), size, image.shape)
        signs = rng.choice((-1.0, 1.0), size=(*image.shape[:2], 1))
        base = base + np.where(draw < 0.8 * share, 0.0, np.where(draw < share, band * 2 * signs, band))
    return np.clip(base, 0, 1)


def _blocks(values: NDArray[np.float64], size: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return values.repeat(size, axis=0).repeat(size, axis=1)[: shape[0], : shape[1], None]
