"""Datasets by name: one file per published layout."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.datasets.base import PairDataset

Loader = Callable[[Path | None], "PairDataset"]

DATASETS: Final[Registry[Loader]] = Registry(
    "dataset",
    "robustiqa.datasets",
    {
        "demo": "robustiqa.datasets.demo:load_demo",
        "kadid-style": "robustiqa.datasets.synthetic:load_kadid_style",
        "live": "robustiqa.datasets.live:load_live",
        "tid2013": "robustiqa.datasets.tid2013:load_tid2013",
    },
)


def load_dataset(name: str, path: str | Path | None = None) -> "PairDataset":
    """The dataset called ``name``, read from ``path`` where it is not made on the fly.

    Raises:
        UnknownName: no such dataset (with the nearest name).
        DatasetLayoutError: the folder has not got the published layout (naming what is missing).
    """
    return DATASETS.get(name)(None if path is None else Path(path))
