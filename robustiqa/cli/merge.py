"""``robustiqa merge``."""

from pathlib import Path

import click

from robustiqa.cli.options import quiet_option


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="Folder of the merged results; what it holds already is kept.")  # fmt: skip
@quiet_option
def merge(folders: tuple[Path, ...], out: Path) -> None:
    """Put the results of FOLDERS into one folder: the shards of a run, or runs of several machines.

    Cells that several folders hold get the rows of all of them. Where two folders disagree on a number, or hold cells
    that look the same but were made with other data, weights, code or version, nothing is merged and both are named.
    Exit code 1 where cells are unfinished or a shard is missing: bench with --out of the merged folder does the rest.

    \b
      robustiqa bench suite.toml --shard 1/2 --out runs/1
      robustiqa bench suite.toml --shard 2/2 --out runs/2
      robustiqa merge runs/1 runs/2 --out runs/whole
    """
    from robustiqa.benchmarks.folder.merging import merge as merged
    from robustiqa.benchmarks.folder.sameness import in_words
    from robustiqa.cli.progress import bar

    with bar() as progress:
        progress.add_task("merging", total=None)
        found = merged(folders, out)
    for cell in found.unfinished:
        reason = cell.error.strip().splitlines()[-1] if cell.error else "not finished"
        click.echo(f"robustiqa: {in_words(cell.spec)}: {reason}", err=True)
    if found.absent:
        click.echo(f"robustiqa: missing shards: {', '.join(found.absent)}", err=True)
    click.echo(f"Results: {out}/cells  ({found.cells} cells)")
    click.echo(f"Report:  robustiqa report {out} --format md")
    if found.unfinished or found.absent:
        raise click.exceptions.Exit(1)
