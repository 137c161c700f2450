"""Compression: JPEG and JPEG 2000 through Pillow's codecs."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Image = NDArray[np.float64]


def jpeg(image: Image, quality: float, _rng: np.random.Generator) -> Image:
    """JPEG at ``quality`` 1 to 100 (libjpeg's scale), chroma 4:2:0."""
    buffer = io.BytesIO()
    _picture(image).save(buffer, "JPEG", quality=max(1, round(quality)), subsampling=2)
    return _decode(buffer)


def jpeg2000(image: Image, ratio: float, _rng: np.random.Generator) -> Image:
    """JPEG 2000 at a compression ``ratio`` (16 means a sixteenth of the raw size)."""
    buffer = io.BytesIO()
    _picture(image).save(buffer, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=True)
    return _decode(buffer)


def _picture(image: Image) -> Pillow.Image:
    return Pillow.fromarray(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))


def _decode(buffer: io.BytesIO) -> Image:
    buffer.seek(0)
    return np.asarray(Pillow.open(buffer).convert("RGB")) / 255.0
