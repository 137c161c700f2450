"""``demo``: photographs that scikit-image and scikit-learn ship, distorted in KADID-10k's ways. No download."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.synthetic import SyntheticPairs, kadid_style

PHOTOGRAPHS: Final = ("astronaut", "chelsea", "china", "coffee", "flower", "motorcycle", "rocket")


def load_demo(path: Path | None = None) -> SyntheticPairs:
    """7 photographs x 25 types x 5 levels; the default benchmark takes the first 35 (7 references x 5)."""
    if path is not None:
        raise InvalidInput(f"demo takes no path, got {path}: it is made from photographs that come with the install.")
    return kadid_style("demo", {name: _reader(name) for name in PHOTOGRAPHS})


def _reader(name: str) -> Callable[[], NDArray[np.uint8]]:
    return lambda: _photograph(name)


@cache
def _photograph(name: str) -> NDArray[np.uint8]:
    if name in {"china", "flower"}:
        from sklearn.datasets import load_sample_image  # noqa: PLC0415 (slow import, needed for two photographs)

        return np.asarray(load_sample_image(f"{name}.jpg"), dtype=np.uint8)
    from skimage import data  # noqa: PLC0415

    read = getattr(data, "stereo_motorcycle" if name == "motorcycle" else name)
    image = read()[0] if name == "motorcycle" else read()
    return np.asarray(image, dtype=np.uint8)
