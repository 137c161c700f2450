"""``robustiqa evaluate``."""

from pathlib import Path

import click

from robustiqa.cli.options import names, quiet_option
from robustiqa.core.parameters import split_path


@click.command()
@click.option("--model", "models", shell_complete=names("models"), multiple=True, required=True,
              help="Repeatable; the others are compared with the first.")
@click.option("--dataset", "datasets", shell_complete=names("datasets"), multiple=True, required=True,
              help="NAME or NAME=FOLDER, such as live=/data/live, csv:lower_better=true=/data/mine, "
                   "derived:live=/data/live; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="First so many pairs, or triplets, of each.")
@click.option("--splits", type=click.IntRange(min=1), default=None,
              help="Also on the test parts of so many 6:2:2 splits by reference, or of the authors' own split.")
@click.option("--retrain", metavar="RECIPE", default=None,
              help="With --splits: train birqa, topiq-squeeze, lpips-alex anew on the train part of each split, by a "
                   "recipe of the package (clean) or a TOML file; other models keep their weights.")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Of each training, instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of splits and trainings.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/evaluate"), show_default=True,
              help="Folder of results; what it holds is not computed again.")
@click.option("--batch-size", type=click.IntRange(min=1), default=1, show_default=True)
@quiet_option
def evaluate(
    models: tuple[str, ...], datasets: tuple[str, ...], limit: int | None, splits: int | None, retrain: str | None,
    steps: int | None, seed: int, out: Path, batch_size: int,
) -> None:
    """Correlate models with human scores on clean images, side by side, with paired intervals.

    Datasets of comparisons (bapps, pieapp, derived:NAME) give 2AFC scores instead. The paper's Table 5:

    \b
      robustiqa evaluate --model birqa --model psnr --dataset csiq=/data/csiq --splits 10 --retrain clean

    Checkpoints go to OUT/retrained, all predictions to OUT/splits; a training that was stopped continues.
    """
    from robustiqa.cli.evaluate_run import Plan, run_evaluate

    run_evaluate(Plan(models, tuple(map(split_path, datasets)), limit, splits, seed, out, batch_size, retrain, steps))
