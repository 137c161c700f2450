"""Array types of this room and the one place where its inputs are checked."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustiqa.core.errors import InvalidInput

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
Labels: TypeAlias = ArrayLike | Sequence[str] | Sequence[int]


def as_vector(name: str, values: ArrayLike) -> FloatArray:
    """``values`` as a 1-D float64 array; raises InvalidInput when they are not one."""
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} must be numbers, one per sample: {error}") from error
    if vector.ndim != 1:
        raise InvalidInput(f"{name} has shape {vector.shape}; pass a 1-D array, one value per sample")
    return vector


def as_pair(
    x: ArrayLike, y: ArrayLike, *, names: tuple[str, str] = ("x", "y")
) -> tuple[FloatArray, FloatArray]:
    """Both as 1-D float64 arrays of one length; raises InvalidInput otherwise."""
    first, second = as_vector(names[0], x), as_vector(names[1], y)
    require_length(names[1], second.size, first.size)
    return first, second


def require_length(name: str, length: int, expected: int) -> None:
    if length != expected:
        raise InvalidInput(f"{name} has {length} samples, {expected} are expected; align them by sample id")


def require_finite(name: str, values: FloatArray) -> None:
    """Raise InvalidInput when ``values`` is empty or holds a non-finite number."""
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad or values.size == 0:
        raise InvalidInput(
            f"{name} has {values.size} samples, {bad} of them not finite; pass one or more, all finite"
        )


def as_labels(name: str, values: Labels) -> NDArray[np.str_] | IntArray:
    """``values`` as a 1-D array of strings or integers; raises InvalidInput for missing or other labels."""
    # The round trip through a list turns the object arrays of data frames into plain string arrays.
    labels = np.asarray(np.asarray(values).tolist())
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iuU":
        raise InvalidInput(
            f"{name} must be strings or integers, one per sample, none missing; "
            f"got shape {labels.shape} of {labels.dtype}"
        )
    return labels
