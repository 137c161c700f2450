"""``robustiqa train-attack``."""

from pathlib import Path

import click

from robustiqa.cli.options import names, quiet_option
from robustiqa.core.parameters import split_path


@click.command("train-attack")
@click.argument("attack", type=click.Choice(("facpa", "uap")))
@click.option("--model", "model_name", shell_complete=names("models"), default="birqa", show_default=True,
              help="See: robustiqa models.")
@click.option("--defense", "defense_name", shell_complete=names("defenses"), default="none", show_default=True,
              help="See: robustiqa defenses.")
@click.option("--direction", type=click.Choice(("up", "down")), default="up", show_default=True,
              help="up raises the quality that the model reports, down lowers it.")
@click.option("--dataset", default="demo", show_default=True, help="demo, or kadid-style=FOLDER of photographs.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="FILE.safetensors; FILE.json beside it.")
@click.option("--steps", type=click.IntRange(min=1), default=400, show_default=True)
@click.option("--crop", type=click.IntRange(min=1), default=128, show_default=True, help="Side of the training crops.")
@click.option("--width", type=click.IntRange(min=1), default=8, show_default=True,
              help="Channels of the first level of facpa's network.")
@click.option("--reference/--no-reference", default=True, show_default=True,
              help="Whether facpa's network sees the reference beside the distorted image.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@quiet_option
def train_attack(
    attack: str, model_name: str, defense_name: str, direction: str, dataset: str, out: Path, steps: int, crop: int,
    width: int, reference: bool, seed: int,
) -> None:
    """Train what the attacks facpa and uap need, for one model and direction.

    It learns on 60 % of the references and names the others in FILE.json. What is made is kept in the cache as well,
    where robustiqa bench --attack facpa finds it. Example:

    \b
      robustiqa train-attack facpa --model birqa --dataset kadid-style=/data/photographs --out facpa-up.safetensors
    """
    from robustiqa.cli.progress import bar
    from robustiqa.core.errors import InvalidInput
    from robustiqa.datasets import load_dataset
    from robustiqa.defenses import load_defense
    from robustiqa.models import load_model
    from robustiqa.training.perturbations import Recipe, learn

    name, path = split_path(dataset)
    if name not in {"demo", "kadid-style"}:
        raise InvalidInput(f"dataset {name!r} cannot be trained on; write demo or kadid-style=FOLDER.")
    model = load_model(model_name)
    attacked = model if defense_name == "none" else load_defense(defense_name).apply(model)
    recipe = Recipe(steps=steps, crop=crop, width=width, reference=reference, seed=seed)
    with bar() as progress:
        task = progress.add_task("reading pairs", total=steps)
        record = learn(
            attack, attacked, 1 if direction == "up" else -1, load_dataset(name, path), recipe, out,
            lambda step, j: progress.update(task, description=f"mean J {j:.4g}", completed=step),
        )  # fmt: skip
    j = record["held_out_j"]
    click.echo(f"{attack} {direction}: learned on {len(record['references'])} references; mean J of crops of the other "
               f"{len(record['held_out'])}: {j['clean']:.6g} -> {j['attacked']:.6g} "
               f"(random signs: {j['random_signs']:.6g})")
    click.echo(f"{out.with_suffix('.safetensors')}  sha256 {record['sha256']}")
