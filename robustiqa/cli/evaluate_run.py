"""What ``robustiqa evaluate`` does once its options are read: score, then a table for each dataset."""

from dataclasses import dataclass
from pathlib import Path

import click

from robustiqa.benchmarks.bench import describe, run
from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.plan import Request, clean_jobs
from robustiqa.benchmarks.runner import Job
from robustiqa.benchmarks.store import Store
from robustiqa.cli.clean_tables import print_clean, restricted
from robustiqa.cli.progress import bar
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.splits import Split, splits_of
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.models import load_model
from robustiqa.reports.evaluation import Evaluation, summary_markdown
from robustiqa.reports.over_splits import over_splits, predictions_csv, splits_markdown


@dataclass(frozen=True)
class Plan:
    """The options of ``robustiqa evaluate``; ``datasets`` are (name, path)."""

    models: tuple[str, ...]
    datasets: tuple[tuple[str, str | None], ...]
    limit: int | None
    splits: int | None
    seed: int
    out: Path
    batch_size: int


def run_evaluate(plan: Plan) -> None:
    """Score all datasets, then print.

    Raises:
        InvalidInput: a name, folder or option that cannot be used.
        ClickException: a model failed on a dataset.
    """
    loaded = tuple(load_dataset(name, path) for name, path in plan.datasets)
    names = [data.name for data in loaded]
    if len(set(names)) < len(names):
        raise InvalidInput(f"two datasets are called the same: {', '.join(names)}; csv:name=OTHER=FOLDER renames one.")
    splits = [_splits(data, plan) for data in loaded]
    request = Request(tuple(map(load_model, plan.models)), (), loaded, limit=plan.limit)
    jobs = clean_jobs(request)
    _score(jobs, plan)
    cells = {cell.spec.key: cell for cell in Store(plan.out).cells()}
    tables: dict[str, list[Evaluation]] = {}
    for index, data in enumerate(loaded):
        own = jobs[index :: len(loaded)]
        table = print_clean(data.limited(plan.limit), own, cells)
        if table:
            tables[data.name] = table
            _print_splits(data, [restricted(job, cells) for job in own], splits[index], plan.out)
    if len(tables) > 1:
        click.echo(f"\nAll datasets:\n\n{summary_markdown(tables)}", nl=False)


def _splits(data: PairDataset, plan: Plan) -> list[Split]:
    """Before anything is scored: a dataset that cannot be split should not cost a run."""
    if plan.splits is None:
        return []
    if isinstance(data, TripletDataset):
        raise InvalidInput(f"{data.name} holds comparisons; --splits is for datasets of scores.")
    return splits_of(data.limited(plan.limit).pairs, plan.splits, plan.seed)


def _score(jobs: list[Job], plan: Plan) -> None:
    with bar() as progress:
        task = progress.add_task("planning", total=None)
        outcome = run(jobs, plan.out, plan.batch_size, progress=lambda text, done, total: progress.update(
            task, description=text, completed=done, total=total))  # fmt: skip
    for job, error in outcome.failures:
        raise click.ClickException(f"{describe(job)}: {error}") from error


def _print_splits(data: PairDataset, cells: list[Cell], splits: list[Split], out: Path) -> None:
    if not splits:
        return
    results = over_splits(cells, splits)
    file = out / "splits" / f"{data.name}.csv"
    write_atomically(file, predictions_csv(results))
    kind = "the authors' split" if splits[0].name == "official" else f"{len(splits)} splits 6:2:2 by reference"
    click.echo(f"{data.name}, test parts of {kind}; predictions: {file}\n\n{splits_markdown(results)}")
