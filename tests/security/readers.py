"""The readers of images and of results as targets: genuine files to damage, and what must be true whatever they hold."""

import io
import json

import numpy as np
from PIL import Image

import robustiqa as rq
from robustiqa.benchmarks.folder.store import Store
from robustiqa.core.errors import InvalidInput, UnreadableImage
from robustiqa.core.images import FORMATS, read_rgb
from tests.security.cases import answered
from tests.toys import Linear, memory

MAX_PIXELS = 100_000


def image_files():
    """The bytes of a small image in every format and mode that is read."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    files = []
    for form in FORMATS:
        for mode in ("RGB", "L", "P"):
            buffer, image = io.BytesIO(), Image.fromarray(pixels).convert(mode)
            (image.convert("RGB") if mode == "P" and form in {"JPEG", "PPM", "WEBP"} else image).save(buffer, form)
            files.append(buffer.getvalue())
    return files


def read_an_image(path):
    """Pixels within the limit, or UnreadableImage that names the file."""
    with answered(UnreadableImage, str(path)):
        rgb = read_rgb(path, max_pixels=MAX_PIXELS)
        assert (rgb.dtype, rgb.ndim, rgb.shape[2], rgb.shape[0] * rgb.shape[1] <= MAX_PIXELS) == (np.uint8, 3, 3, True)


def cell_texts(folder):
    """A genuine cell with pictures, and the journal that it would have had on its way; made by a bench in ``folder``."""
    rq.bench([Linear()], ["fgsm"], memory(3), directions=["up"], judges=["psnr"], save_images=True, out=folder)
    whole = next(p for p in (folder / "cells").glob("*.json") if '"fgsm"' in p.read_text()).read_text()
    cell = json.loads(whole)
    header = {key: cell[key] for key in ("schema_version", "spec", "provenance")}
    return whole, "\n".join(map(json.dumps, [header, *cell["samples"]])) + "\n"


def read_results(folder):
    """Cells whose pictures have hashes for names, or InvalidInput that names the folder."""
    with answered(InvalidInput, str(folder)):
        for found in Store(folder).cells():
            pictures = [row.images.model_dump().values() for row in found.samples if row.images]
            assert all(len(one) == 32 and one.isalnum() for some in pictures for one in some)
