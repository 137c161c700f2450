"""Tables of clean scores, as ``evaluate`` and suites without attacks print them."""

from collections.abc import Sequence

import click

from robustiqa.benchmarks.cell import Cell
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.reports.comparisons import comparisons, comparisons_markdown
from robustiqa.reports.evaluation import Evaluation, evaluation_markdown, evaluations


def print_clean(data: PairDataset, cells: Sequence[Cell]) -> list[Evaluation]:
    """Print correlations, or for a dataset of comparisons 2AFC scores, of all models; the correlations, if any."""
    if isinstance(data, TripletDataset):
        click.echo(f"{data.name}, {len(data.triplets)} triplets of {len(data.pairs)} images, {data.judgement}\n")
        click.echo(comparisons_markdown(comparisons(data, cells)))
        return []
    table = evaluations(cells)
    click.echo(f"{data.name}, {len(cells[0].samples)} pairs, {data.human_score}\n")
    click.echo(evaluation_markdown(table))
    return table
