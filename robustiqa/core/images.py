"""Image files to tensors: a whitelist of formats, a pixel limit, and errors that name the file."""

import io
import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from robustiqa.core.errors import InvalidInput, UnreadableImage

FORMATS = ("PNG", "BMP", "JPEG", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 64_000_000  # 8K UHD is 33 million


# Of these modes an sRGB meaning is clear; CMYK and LAB need a profile, I and F hold more than 8 bits.
_MODES: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
# What Pillow's decoders raise on broken files, beside UnidentifiedImageError (an OSError) and their own checks.
_FAULTS: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError,
    struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> Tensor:
    """An 8-bit sRGB image file as float32 [3, H, W] in [0, 1]; see :func:`read_rgb`."""
    return to_tensor(read_rgb(path, max_pixels))


def read_rgb(path: str | Path, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The same file as uint8 [H, W, 3], turned as its EXIF orientation says.

    Grey and palette images become RGB; an alpha channel is dropped where it is opaque everywhere.

    Raises:
        UnreadableImage: missing or not a file, not one of ``FORMATS``, truncated, larger than ``max_pixels``, of more
            than 8 bits a channel, in a colour space other than grey or RGB, or transparent anywhere.
    """
    if not _is_file(Path(path)):  # opening a pipe would wait for ever
        raise UnreadableImage(f"{path}: no such file.")
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(image, path, max_pixels)
            return np.asarray(ImageOps.exif_transpose(_opaque(image, path)).convert("RGB"), dtype=np.uint8)
    except UnreadableImage:
        raise
    except _FAULTS as error:
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableImage(f"{path}: not a readable {'/'.join(FORMATS)} image ({reason}).") from error


def _is_file(path: Path) -> bool:
    """Also of names that no file can have: too long, or with a NUL."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _check_header(image: Image.Image, path: str | Path, max_pixels: int) -> None:
    """Refuse what must not be decoded, before it is."""
    if image.width * image.height > max_pixels:
        raise UnreadableImage(f"{path}: {image.width}x{image.height} is more than the limit of {max_pixels} pixels.")
    if image.mode not in _MODES and not image.mode.startswith(("I", "F")):
        raise UnreadableImage(f"{path}: colour space {image.mode} has no defined sRGB values; convert it to 8-bit RGB.")
    if image.mode not in _MODES or _is_deep(image):
        raise UnreadableImage(f"{path}: more than 8 bits a channel; convert it to 8-bit RGB.")


def _is_deep(image: Image.Image) -> bool:
    """Whether Pillow would silently drop the lower bits of a 16-bit PNG or TIFF, or rescale a deep PPM."""
    tiles = [tile[3] for tile in getattr(image, "tile", ())]  # its arguments: plain tuples in older Pillows
    arguments = [part for args in tiles for part in (args if isinstance(args, tuple) else (args,))]
    if image.format == "PPM":
        return any(isinstance(part, int) and part > 255 for part in arguments)
    return image.format in {"PNG", "TIFF"} and any(isinstance(part, str) and ";16" in part for part in arguments)


def _opaque(image: Image.Image, path: str | Path) -> Image.Image:
    """The image, unless some of it shows a background that nobody knows."""
    has_alpha = image.mode in {"LA", "PA", "RGBA"} or "transparency" in image.info
    if has_alpha and np.asarray(image.convert("RGBA").getchannel("A")).min() < 255:
        raise UnreadableImage(f"{path}: transparent pixels; put the image on its background, without alpha.")
    return image


def to_tensor(rgb: NDArray[np.uint8]) -> Tensor:
    """uint8 [H, W, 3] to float32 [3, H, W] in [0, 1]."""
    return torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def to_rgb(image: Tensor) -> NDArray[np.uint8]:
    """Float [3, H, W] in [0, 1] to uint8 [H, W, 3], rounded to the nearest level."""
    return (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy().transpose(1, 2, 0)


def png_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """The PNG file of uint8 [H, W, 3]."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


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
