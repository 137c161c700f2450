"""Pictures beside the cells: ``DIR/images/NAME.png``, named by their content, so that a reference is kept once."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.benchmarks.cell import SavedImages
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.images import png_bytes, read_rgb, to_rgb, to_tensor


class Pictures:
    """The 8-bit pictures of one output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "images"

    def keep(self, image: Tensor) -> str:
        """The name of ``image`` [3, H, W] in [0, 1], rounded to 8 bits; its file is written where there is none yet."""
        rgb = to_rgb(image)
        name = _name(rgb)
        if not self.path(name).is_file():
            self.put(name, png_bytes(rgb))
        return name

    def put(self, name: str, data: bytes) -> None:
        """Write the file of a picture."""
        write_atomically(self.path(name), data)

    def holds(self, images: SavedImages | None) -> bool:
        """Whether all three pictures of a sample are there."""
        names = () if images is None else (images.reference, images.distorted, images.adversarial)
        return bool(names) and all(self.path(name).is_file() for name in names)

    def read(self, name: str) -> Tensor:
        """The picture [3, H, W] in [0, 1].

        Raises:
            UnreadableImage: its file is missing or broken.
            InvalidInput: the file holds another picture than its name says.
        """
        rgb = read_rgb(self.path(name))
        if _name(rgb) != name:
            raise InvalidInput(f"{self.path(name)} is not the picture that was saved; delete it and run bench again.")
        return to_tensor(rgb)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.png"


def _name(rgb: NDArray[np.uint8]) -> str:
    return hashlib.sha256(f"{rgb.shape}".encode() + np.ascontiguousarray(rgb).tobytes()).hexdigest()[:32]
