"""``robustiqa train``."""

from pathlib import Path

import click

from robustiqa.cli.options import quiet_option
from robustiqa.core.parameters import split_path


@click.command()
@click.option("--model", "model", default="birqa", show_default=True,
              help="birqa (with parameters such as birqa:width=32), topiq-squeeze or lpips-alex.")
@click.option("--recipe", "recipe_name", default="clean", show_default=True,
              help="A recipe of the package or a TOML file: clean, continue; the defenses r, at, nt, aat; paper-r to "
                   "paper-aat with the paper's figures.")
@click.option("--dataset", required=True, help="kadid-style=FOLDER: pristine photographs, distorted for training.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The checkpoint, FILE.safetensors.")
@click.option("--start", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="A checkpoint to train on from  [default: clean starts from random weights, or lpips-alex's "
                   "published ones; a defense from what --model stands for]")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--pairs-seed", type=click.IntRange(min=0), default=None,
              help="Of the distortions, so that runs of several seeds share pairs  [default: that of --seed]")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that make the pairs.")
@quiet_option
def train(
    model: str, recipe_name: str, dataset: str, out: Path, start: Path | None, steps: int | None, seed: int,
    pairs_seed: int | None, jobs: int,
) -> None:
    """Train a model, or harden it against attacks; a run that was stopped continues from the checkpoint beside OUT.

    The folder's photographs are split by reference into training, validation and test; pairs are made once and
    cached. Beside OUT stand the log (.csv), its picture (.svg) and the facts (.json). Examples:

    \b
      robustiqa train --model birqa --recipe clean --dataset kadid-style=/data/photographs --out birqa.safetensors
      robustiqa train --model birqa --recipe aat --dataset kadid-style=/data/photographs --out birqa-aat.safetensors
    """
    from robustiqa.cli.progress import bar
    from robustiqa.core.errors import InvalidInput
    from robustiqa.core.parameters import build, split_named
    from robustiqa.datasets.synthetic import photographs
    from robustiqa.models import TRAINABLE
    from robustiqa.reports.training import draw_training
    from robustiqa.training.log import CsvLog
    from robustiqa.training.recipe import load_recipe
    from robustiqa.training.run import Run, run_training

    name, parameters = split_named(model)
    trainable = TRAINABLE.get(name)
    settings = build(trainable.entry.parameters, parameters)
    kind, path = split_path(dataset)
    if kind != "kadid-style":
        raise InvalidInput(f"dataset {kind!r} cannot be trained on; write kadid-style=FOLDER.")
    recipe = load_recipe(recipe_name, name)
    if steps is not None:
        recipe = recipe.lasting(steps)
    files = photographs(None if path is None else Path(path))
    log = CsvLog(out.with_suffix(".csv"))
    with bar() as progress:
        task = progress.add_task("making pairs", total=recipe.steps or None)

        def report(step: int, figures: dict[str, float]) -> None:
            log(step, figures)
            progress.update(task, description=f"loss {figures['loss']:.3f}", completed=step)

        run = Run(trainable, settings, recipe, tuple(files.values()), out, seed, jobs, start, pairs_seed)
        click.echo(run_training(run, report, lambda total: progress.update(task, total=total)))
    if log.path.exists():
        draw_training(log.path, out.with_suffix(".svg"))
        click.echo(out.with_suffix(".svg"))
