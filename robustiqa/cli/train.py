"""``robustiqa train``."""

from pathlib import Path

import click

from robustiqa.core.parameters import split_path


@click.command()
@click.option("--model", "model", default="birqa", show_default=True,
              help="birqa (with parameters such as birqa:width=32), topiq-squeeze or lpips-alex.")
@click.option("--recipe", "recipe_name", default="clean", show_default=True,
              help="A recipe of the package (clean, continue), or a TOML file.")
@click.option("--dataset", required=True, help="kadid-style=FOLDER: pristine photographs, distorted for training.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The checkpoint, FILE.safetensors.")
@click.option("--start", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="A checkpoint to train on from  [default: random weights; lpips-alex: the published ones]")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that make the pairs.")
def train(
    model: str, recipe_name: str, dataset: str, out: Path, start: Path | None, steps: int | None, seed: int, jobs: int
) -> None:
    """Train a model; a run that was stopped continues from the checkpoint beside OUT.

    The folder's photographs are split by reference into training, validation and test; pairs are made once and
    cached. Example:

    \b
      robustiqa train --model birqa --recipe clean --dataset kadid-style=/data/photographs --out birqa.safetensors
    """
    from robustiqa.cli.progress import bar
    from robustiqa.core.errors import InvalidInput
    from robustiqa.core.parameters import build, split_named
    from robustiqa.datasets.synthetic import photographs
    from robustiqa.models import TRAINABLE
    from robustiqa.training.clean import Run, run_clean
    from robustiqa.training.loop import CsvLog
    from robustiqa.training.recipe import load_recipe

    name, parameters = split_named(model)
    trainable = TRAINABLE.get(name)
    settings = build(trainable.entry.parameters, parameters)
    kind, path = split_path(dataset)
    if kind != "kadid-style":
        raise InvalidInput(f"dataset {kind!r} cannot be trained on; write kadid-style=FOLDER.")
    recipe = load_recipe(recipe_name, name)
    if steps is not None:
        recipe = recipe.model_copy(update={"steps": steps})
    files = photographs(None if path is None else Path(path))
    log = CsvLog(out.with_suffix(".csv"))
    with bar() as progress:
        task = progress.add_task("making pairs", total=recipe.steps)

        def report(step: int, figures: dict[str, float]) -> None:
            log(step, figures)
            progress.update(task, description=f"loss {figures['loss']:.3f}", completed=step)

        run = Run(trainable, settings, recipe, tuple(files.values()), out, seed, jobs, start)
        click.echo(run_clean(run, report))
