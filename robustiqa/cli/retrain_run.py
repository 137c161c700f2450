"""What ``robustiqa evaluate --retrain`` adds: a model trained anew on every split, and its scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from robustiqa.cli.clean_scores import clean_cells
from robustiqa.cli.progress import bar
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import split_named
from robustiqa.datasets.base import PairDataset
from robustiqa.datasets.splits import Split
from robustiqa.models import TRAINABLE
from robustiqa.reports.over_splits import Scored
from robustiqa.training.recipe import load_recipe
from robustiqa.training.retrain import Retraining, retrained


def is_trainable(model: str) -> bool:
    """Whether the model of that spelling can be trained."""
    return split_named(model)[0] in TRAINABLE.names()


def trainings(
    model: str, recipe_name: str, steps: int | None, data: PairDataset, splits: Sequence[Split], folder: Path, seed: int
) -> list[Retraining]:
    """One training per split, checked before any begins; each has a seed of its own.

    Args:
        steps: instead of the recipe's.

    Raises:
        UnknownName, InvalidInput: a parameter or recipe that there is not, or a split that cannot be trained on.
    """
    name, parameters = split_named(model)
    if "weights" in parameters:
        raise InvalidInput(f"{model}: --retrain trains it anew on each split; leave weights out.")
    recipe = load_recipe(recipe_name, name)
    recipe = recipe if steps is None else recipe.model_copy(update={"steps": steps})
    runs = [
        Retraining(TRAINABLE.get(name), parameters, recipe, data, split, folder, seed + number)
        for number, split in enumerate(splits)
    ]
    for run in runs:
        run.check()
    return runs


def scored_anew(runs: Sequence[Retraining], data: PairDataset, limit: int | None) -> Iterator[Scored]:
    """Train what is not trained yet, and score the dataset with the model of each split."""
    for number, run in enumerate(runs, start=1):
        model = _trained(run, f"{run.name} {data.name}, training {number} of {len(runs)}")
        yield Scored(clean_cells([model], [data], limit, run.folder)[0][0], run.split, retrained=True)


def _trained(run: Retraining, label: str) -> QualityModel:
    with bar() as progress:
        task = progress.add_task(label, total=run.recipe.steps)
        return retrained(run, lambda step, _figures: progress.update(task, completed=step))
