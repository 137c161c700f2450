"""What ``robustiqa evaluate`` does once its options are read: score, then a table for each dataset."""

from dataclasses import dataclass
from pathlib import Path

import click

from robustiqa.cli.clean_scores import clean_cells
from robustiqa.cli.clean_tables import print_clean
from robustiqa.cli.retrain_run import is_trainable, scored_anew, trainings
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.splits import Split, splits_of
from robustiqa.datasets.triplets import TripletDataset
from robustiqa.models import TRAINABLE, load_model
from robustiqa.reports.evaluation import Evaluation, summary_markdown
from robustiqa.reports.over_splits import Scored, over_splits, predictions_csv, splits_markdown
from robustiqa.training.retrain import Retraining


@dataclass(frozen=True)
class Plan:
    """The options of ``robustiqa evaluate``; ``datasets`` are (name, path), ``retrain`` is a recipe."""

    models: tuple[str, ...]
    datasets: tuple[tuple[str, str | None], ...]
    limit: int | None
    splits: int | None
    seed: int
    out: Path
    batch_size: int
    retrain: str | None = None
    steps: int | None = None

    @property
    def anew(self) -> tuple[str, ...]:
        """The models that are trained on each split; the others keep their weights."""
        return () if self.retrain is None else tuple(filter(is_trainable, self.models))


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
    runs = [_runs(data, plan, parts) for data, parts in zip(loaded, splits, strict=True)]
    same = [name for name in plan.models if name not in plan.anew]
    cells = clean_cells([load_model(name) for name in same], loaded, plan.limit, plan.out, plan.batch_size)
    tables: dict[str, list[Evaluation]] = {}
    for data, own, parts, anew in zip(loaded, cells, splits, runs, strict=True):
        table = print_clean(data.limited(plan.limit), own) if own else []
        if table:
            tables[data.name] = table
        if parts:
            scored = {name: [Scored(cell, part) for part in parts] for name, cell in zip(same, own, strict=True)}
            scored |= {name: list(scored_anew(some, data, plan.limit)) for name, some in anew.items()}
            _print_splits(data, [one for name in plan.models for one in scored[name]], plan)
    if len(tables) > 1:
        click.echo(f"\nAll datasets:\n\n{summary_markdown(tables)}", nl=False)


def _splits(data: PairDataset, plan: Plan) -> list[Split]:
    """Before anything is scored: a dataset that cannot be split should not cost a run."""
    if plan.splits is None:
        if plan.retrain is not None:
            raise InvalidInput("--retrain trains on the splits of a dataset; say how many: --splits 10.")
        return []
    if isinstance(data, TripletDataset):
        raise InvalidInput(f"{data.name} holds comparisons; --splits is for datasets of scores.")
    return splits_of(data.limited(plan.limit).pairs, plan.splits, plan.seed)


def _runs(data: PairDataset, plan: Plan, splits: list[Split]) -> dict[str, list[Retraining]]:
    """The trainings of each model, checked before the first begins; nothing is trained that is not asked for."""
    if plan.retrain is None:
        return {}
    if not plan.anew:
        names = ", ".join(TRAINABLE.names())
        raise InvalidInput(f"none of {', '.join(plan.models)} can be retrained; those that can: {names}.")
    folder, limited = plan.out / "retrained", data.limited(plan.limit)
    return {
        name: trainings(name, plan.retrain, plan.steps, limited, splits, folder, plan.seed) for name in plan.anew
    }  # fmt: skip


def _print_splits(data: PairDataset, scored: list[Scored], plan: Plan) -> None:
    results = over_splits(scored)
    file = plan.out / "splits" / f"{data.name}{'-retrained' if plan.anew else ''}.csv"
    write_atomically(file, predictions_csv(results))
    names = {one.split.name for one in scored}
    kind = "the authors' split" if names == {"official"} else f"{len(names)} splits 6:2:2 by reference"
    click.echo(f"{data.name}, test parts of {kind}; predictions: {file}\n\n{splits_markdown(results)}")
