"""Tables of clean scores, as ``evaluate`` and suites without attacks print them."""

from collections.abc import Mapping, Sequence

import click

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.runner import Job
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.reports.comparisons import comparisons, comparisons_markdown
from robustiqa.reports.evaluation import Evaluation, evaluation_markdown, evaluations


def restricted(job: Job, cells: Mapping[str, Cell]) -> Cell:
    """The job's cell with the samples that were asked for: it may hold more from an earlier run."""
    cell, wanted = cells[job.spec.key], {pair.id for pair in job.pairs}
    return cell.model_copy(update={"samples": tuple(row for row in cell.samples if row.id in wanted)})


def print_clean(data: PairDataset, jobs: Sequence[Job], cells: Mapping[str, Cell]) -> list[Evaluation]:
    """Print correlations, or for a dataset of comparisons 2AFC scores, of all models; the correlations, if any."""
    own = [restricted(job, cells) for job in jobs]
    if isinstance(data, TripletDataset):
        click.echo(f"{data.name}, {len(data.triplets)} triplets of {len(data.pairs)} images, {data.judgement}\n")
        click.echo(comparisons_markdown(comparisons(data, own)))
        return []
    table = evaluations(own)
    click.echo(f"{data.name}, {len(own[0].samples)} pairs, {data.human_score}\n")
    click.echo(evaluation_markdown(table))
    return table
