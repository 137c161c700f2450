"""Clean scores of models on datasets, computed once per output folder, with a progress bar."""

from collections.abc import Sequence
from pathlib import Path

import click
import torch

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.plan import Request, clean_jobs
from robustiqa.benchmarks.running import describe, run
from robustiqa.cli.progress import bar
from robustiqa.core.model import QualityModel
from robustiqa.datasets.base import PairDataset


def clean_cells(
    models: Sequence[QualityModel], datasets: Sequence[PairDataset], limit: int | None, out: Path, batch_size: int = 1,
    device: torch.device | None = None,
) -> list[list[Cell]]:  # fmt: skip
    """For each dataset the cells of all models, with the samples that were asked for.

    Raises:
        ClickException: a model failed on a dataset.
    """
    if not models:
        return [[] for _ in datasets]
    jobs = clean_jobs(Request(tuple(models), (), tuple(datasets), limit=limit))
    with bar() as progress:
        task = progress.add_task("planning", total=None)
        outcome = run(jobs, out, batch_size, device, lambda text, done, total: progress.update(
            task, description=text, completed=done, total=total))  # fmt: skip
    for job, error in outcome.failures:
        raise click.ClickException(f"{describe(job)}: {error}") from error
    cells = {cell.spec.key: cell for cell in Store(out).cells()}
    return [[restricted(cells[job.spec.key], job) for job in jobs[i :: len(datasets)]] for i in range(len(datasets))]


def restricted(cell: Cell, job: Job) -> Cell:
    """The cell with the samples that were asked for: it may hold more from an earlier run."""
    wanted = {pair.id for pair in job.pairs}
    return cell.model_copy(update={"samples": tuple(row for row in cell.samples if row.id in wanted)})
