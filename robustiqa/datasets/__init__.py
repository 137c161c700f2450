"""Datasets by name: one file per published layout."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from robustiqa.core.errors import UnknownName
from robustiqa.core.parameters import build, split_named
from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.datasets.base import PairDataset

Loader = Callable[[Path | None], "PairDataset"]
DERIVED: Final = "derived:"

DATASETS: Final[Registry[Loader | type[Loader]]] = Registry(
    "dataset",
    "robustiqa.datasets",
    {
        "bapps": "robustiqa.datasets.bapps:Bapps",
        "csiq": "robustiqa.datasets.csiq:load_csiq",
        "csv": "robustiqa.datasets.csv_folder:CsvFolder",
        "demo": "robustiqa.datasets.demo:load_demo",
        "kadid-style": "robustiqa.datasets.synthetic:KadidStyle",
        "kadid10k": "robustiqa.datasets.kadid10k:load_kadid10k",
        "live": "robustiqa.datasets.live:load_live",
        "pdap-hdds": "robustiqa.datasets.pdap_hdds:load_pdap_hdds",
        "pieapp": "robustiqa.datasets.pieapp:PieApp",
        "pipal": "robustiqa.datasets.pipal:load_pipal",
        "tid2013": "robustiqa.datasets.tid2013:load_tid2013",
    },
)


def load_dataset(text: str, path: str | Path | None = None, **parameters: float | bool | str) -> "PairDataset":
    """The dataset spelled ``name`` or ``name:parameter=value,...``, read from ``path`` where it is not made on the fly.

    Comparisons of two images (``bapps``, ``pieapp``) come as a ``TripletDataset``; ``derived:`` before a name makes one
    of any dataset's scores.

    Args:
        text: such as ``live``, ``csv:lower_better=true`` or ``derived:live``.
        path: the dataset's folder.
        parameters: the same by keyword, as in ``load_dataset("bapps", path, split="train")``.

    Raises:
        UnknownName: no such dataset or parameter (with the nearest name).
        DatasetLayoutError: the folder has not got the published layout (naming what is missing).
    """
    if text.startswith(DERIVED):
        from robustiqa.datasets.triplets import derived_triplets  # noqa: PLC0415 (imports torch)

        return derived_triplets(load_dataset(text.removeprefix(DERIVED), path, **parameters))
    name, spelled = split_named(text)
    loader = DATASETS.get(name)
    chosen = {**spelled, **parameters}
    if isinstance(loader, type):
        loader = build(loader, chosen)
    elif chosen:
        raise UnknownName(f"parameter of {name}", next(iter(chosen)), ())
    return loader(None if path is None else Path(path))
