"""What ``robustiqa evaluate`` does once its options are read: score, then a table for each dataset."""

from dataclasses import dataclass
from pathlib import Path

import click

from robustiqa.benchmarks.cell import Cell
from robustiqa.cli.clean_scores import clean_cells
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.splits import Split, splits_of
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.models import load_model
from robustiqa.reports.comparisons import comparisons, comparisons_markdown
from robustiqa.reports.evaluation import Evaluation, evaluation_markdown, evaluations, summary_markdown
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
    cells = clean_cells(tuple(map(load_model, plan.models)), loaded, plan.limit, plan.out, plan.batch_size)
    tables: dict[str, list[Evaluation]] = {}
    for data, own, split in zip(loaded, cells, splits, strict=True):
        if isinstance(data, TripletDataset):
            _print_comparisons(data.limited(plan.limit), own)
        else:
            tables[data.name] = _print_correlations(data, own)
            _print_splits(data, own, split, plan.out)
    if len(tables) > 1:
        click.echo(f"\nAll datasets:\n\n{summary_markdown(tables)}", nl=False)


def _splits(data: PairDataset, plan: Plan) -> list[Split]:
    """Before anything is scored: a dataset that cannot be split should not cost a run."""
    if plan.splits is None:
        return []
    if isinstance(data, TripletDataset):
        raise InvalidInput(f"{data.name} holds comparisons; --splits is for datasets of scores.")
    return splits_of(data.limited(plan.limit).pairs, plan.splits, plan.seed)


def _print_correlations(data: PairDataset, cells: list[Cell]) -> list[Evaluation]:
    table = evaluations(cells)
    click.echo(f"{data.name}, {len(cells[0].samples)} pairs, {data.human_score}\n")
    click.echo(evaluation_markdown(table))
    return table


def _print_comparisons(data: TripletDataset, cells: list[Cell]) -> None:
    click.echo(f"{data.name}, {len(data.triplets)} triplets of {len(data.pairs)} images, {data.judgement}\n")
    click.echo(comparisons_markdown(comparisons(data, cells)))


def _print_splits(data: PairDataset, cells: list[Cell], splits: list[Split], out: Path) -> None:
    if not splits:
        return
    results = over_splits(cells, splits)
    file = out / "splits" / f"{data.name}.csv"
    write_atomically(file, predictions_csv(results))
    kind = "the authors' split" if splits[0].name == "official" else f"{len(splits)} splits 6:2:2 by reference"
    click.echo(f"{data.name}, test parts of {kind}; predictions: {file}\n\n{splits_markdown(results)}")
