"""``robustiqa rerun``."""

from pathlib import Path

import click

from robustiqa.cli.options import quiet_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("cell")
@click.option("--dataset", default=None, metavar="NAME=FOLDER", help="Where the cell's images are; demo needs none.")
@click.option("--weights", type=click.Path(path_type=Path), default=None,
              help="File or folder of the model's weights  [default: the usual places]")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="First so many samples  [default: all]")
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@click.option("--plugins", is_flag=True, help="Also run plug-ins and code files that the cell names: trust them first.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@quiet_option
def rerun(
    folder: Path, cell: str, dataset: str | None, weights: Path | None, limit: int | None, batch_size: int,
    threads: int, device: str, plugins: bool, as_json: bool,
) -> None:
    """Compute one CELL of FOLDER again and compare: equal, or by how much each number differs.

    CELL is the name of a file in FOLDER/cells, or its beginning. Nothing is written. Exit code 0 where all numbers are
    equal, 1 where some differ, 2 where the cell cannot be made again here (data, weights or version are others).

    \b
      robustiqa rerun runs/bench 3f2a --limit 8
    """
    from robustiqa.cli.rerun_run import run_rerun

    run_rerun(folder, cell, dataset, weights, limit, batch_size, threads, device, plugins=plugins, as_json=as_json)
