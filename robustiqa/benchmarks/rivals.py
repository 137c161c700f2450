"""Comparisons of two images in the rows of cells, so that a report knows them without the dataset."""

from collections.abc import Iterable

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.triplets import TripletDataset


def with_rivals(dataset: PairDataset, rows: Iterable[SampleRow]) -> list[SampleRow]:
    """``rows`` of attacked images with the comparisons that people made between them.

    Derived comparisons follow from the rows' own scores and would fill the file: they are left out.
    """
    if not isinstance(dataset, TripletDataset) or dataset.derived:
        return list(rows)
    return [row.model_copy(update={"rivals": dataset.rivals.get(row.id, ())}) for row in rows]
