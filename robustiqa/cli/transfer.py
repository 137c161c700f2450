"""``robustiqa transfer``."""

from pathlib import Path

import click

from robustiqa.cli.options import names, quiet_option
from robustiqa.cli.output import format_options


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--model", "models", shell_complete=names("models"), multiple=True,
              help="Scores the pictures; repeatable  [default: the models that were attacked in RUN]")
@click.option("--defense", "defenses", shell_complete=names("defenses"),
              multiple=True, default=("none",), show_default=True,
              help="In front of every --model; repeatable.")
@click.option("--direction", "directions", multiple=True, type=click.Choice(("up", "down", "tomean", "random")),
              default=("up",), show_default=True, help="Of the attacks that are shown; repeatable.")
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@format_options
@quiet_option
def transfer(
    run: Path, models: tuple[str, ...], defenses: tuple[str, ...], directions: tuple[str, ...], batch_size: int,
    device: str, forms: str, out: Path | None,
) -> None:
    """Score the saved adversarials of RUN on other metrics: sources down, targets across.

    RUN is the folder of a bench with --save-images. New cells, with threat transfer, go into it, so that its reports
    and leaderboards hold them, too; what is there is not computed again. Example:

    \b
      robustiqa bench --model birqa --model ssim --attack pgd --save-images --out runs/both
      robustiqa transfer runs/both --model gmsd --model birqa --model ssim
    """
    from robustiqa.cli.output import checked_formats
    from robustiqa.cli.transfer_run import run_transfer

    run_transfer(run, models, defenses, directions, batch_size, device, checked_formats(forms, out), out)
