"""Image files to tensors: a whitelist of formats, a pixel limit, and errors that name the file."""

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from robustiqa.core.errors import InvalidInput, UnreadableImage

FORMATS = ("PNG", "BMP", "JPEG", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 64_000_000  # 8K UHD is 33 million


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> Tensor:
    """An 8-bit sRGB image file as float32 [3, H, W] in [0, 1].

    Raises:
        UnreadableImage: missing, not one of ``FORMATS``, truncated, or larger than ``max_pixels``.
    """
    return to_tensor(read_rgb(path, max_pixels))


def read_rgb(path: str | Path, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The same file as uint8 [H, W, 3]."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > max_pixels:
                raise UnreadableImage(
                    f"{path}: {image.width}x{image.height} is more than the limit of {max_pixels} pixels."
                )
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except FileNotFoundError:
        raise UnreadableImage(f"{path}: no such file.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, UnreadableImage):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableImage(f"{path}: not a readable {'/'.join(FORMATS)} image ({reason}).") from error


def to_tensor(rgb: NDArray[np.uint8]) -> Tensor:
    """uint8 [H, W, 3] to float32 [3, H, W] in [0, 1]."""
    return torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def to_rgb(image: Tensor) -> NDArray[np.uint8]:
    """Float [3, H, W] in [0, 1] to uint8 [H, W, 3], rounded to the nearest level."""
    return (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy().transpose(1, 2, 0)


def center_crop(image: Tensor, size: int | None) -> Tensor:
    """The central ``size`` x ``size`` window of [..., H, W] (as much of it as there is); all of it for ``None``."""
    if size is None:
        return image
    height, width = image.shape[-2:]
    top, left = max(0, (height - size) // 2), max(0, (width - size) // 2)
    return image[..., top : top + size, left : left + size]


def check_pair(reference: Tensor, distorted: Tensor, min_size: int = 1) -> None:
    """Refuse two image batches that cannot be compared.

    Raises:
        InvalidInput: not float [N, 3, H, W], of different shapes, smaller than ``min_size``, or out of [0, 1].
    """
    for name, image in (("reference", reference), ("distorted", distorted)):
        if image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
            raise InvalidInput(f"{name}: shape {tuple(image.shape)}, {image.dtype}; wanted float [N, 3, H, W].")
        if min(image.shape[-2:]) < min_size:
            raise InvalidInput(f"{name}: {_size(image)} is below the model's minimum of {min_size} pixels a side.")
        if image.numel() and not _in_unit_range(image):
            raise InvalidInput(f"{name}: values leave [0, 1] or are not finite; divide 8-bit images by 255.")
    if reference.shape != distorted.shape:
        raise InvalidInput(f"sizes differ: reference {_size(reference)}, distorted {_size(distorted)}.")


def _in_unit_range(image: Tensor) -> bool:
    low, high = image.detach().aminmax()
    return bool((low >= 0) & (high <= 1))


def _size(image: Tensor) -> str:
    return f"{image.shape[0]} of {image.shape[3]}x{image.shape[2]}"
