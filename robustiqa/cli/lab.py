"""What ``search-features`` and ``ablate`` share: their options, and the bench that their trials are done on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from robustiqa.cli.options import image_size
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.parameters import split_path

if TYPE_CHECKING:
    from robustiqa.models.birqa.model import Settings
    from robustiqa.training.trial import Bench

_OPTIONS = (
    click.option("--dataset", required=True, help="kadid-style=FOLDER: pristine photographs, distorted for training."),
    click.option("--model", default="birqa", show_default=True,
                 help="What is varied: birqa, smaller with birqa:width=8,levels=2."),
    click.option("--recipe", "recipe_name", default="clean", show_default=True,
                 help="A recipe of the package, or a TOML file; the same for every trial."),
    click.option("--steps", type=click.IntRange(min=1), default=None, help="Of training, instead of the recipe's."),
    click.option("--limit", type=click.IntRange(min=5), default=None, help="First so many photographs."),
    click.option("--size", default="1920x1080", show_default=True, help="WIDTHxHEIGHT that speed is measured at."),
    click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Of the measurement."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True),
    click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True,
                 help="Processes that make the pairs."),
)  # fmt: skip


class Choices(TypedDict):
    """Values of the shared options."""

    dataset: str
    model: str
    recipe_name: str
    steps: int | None
    limit: int | None
    size: str
    runs: int
    seed: int
    jobs: int


def lab_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``command`` with the shared options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def base_settings(text: str) -> "Settings":
    """The architecture that trials vary.

    Raises:
        UnknownName: of another model than birqa.
    """
    from robustiqa.core.parameters import build, split_named
    from robustiqa.models.birqa.model import Settings

    name, parameters = split_named(text)
    if name != "birqa":
        raise UnknownName("model with features and modules to choose", name, ["birqa"])
    return build(Settings, parameters)


@contextmanager
def bench_of(out: Path, **choices: Unpack[Choices]) -> Iterator["Bench"]:
    """The bench of the shared options, with its progress bar."""
    from robustiqa.benchmarks.speed import measure, synthetic_pair
    from robustiqa.cli.progress import bar
    from robustiqa.core.model import QualityModel
    from robustiqa.datasets.synthetic import photographs
    from robustiqa.models import load_model
    from robustiqa.training.recipe import AdversarialRecipe, load_recipe
    from robustiqa.training.trial import Bench, Timing

    kind, path = split_path(choices["dataset"])
    if kind != "kadid-style":
        raise InvalidInput(f"dataset {kind!r} cannot be trained on; write kadid-style=FOLDER.")
    files = tuple(photographs(None if path is None else Path(path)).values())[: choices["limit"]]
    recipe = load_recipe(choices["recipe_name"], "birqa")
    if isinstance(recipe, AdversarialRecipe):
        raise InvalidInput(f"recipe {choices['recipe_name']!r} hardens a trained model; trials need one such as clean.")
    if choices["steps"] is not None:
        recipe = recipe.lasting(choices["steps"])
    size, runs, yardstick = image_size(choices["size"]), choices["runs"], load_model("birqa")

    def clock(model: QualityModel) -> Timing:
        own, shipped = measure([model, yardstick], *synthetic_pair(*size), runs)
        return Timing(forward=own.forward, yardstick=shipped.forward, runs=runs)

    with bar() as progress:
        task = progress.add_task("making pairs", total=recipe.steps)

        def report(name: str, step: int, _: Mapping[str, float]) -> None:
            progress.update(task, description=name, completed=step)

        yield Bench(recipe, files, out, choices["seed"], choices["jobs"], choices["size"], clock, report)
