"""``robustiqa report``."""

from pathlib import Path

import click

FORMATS = ("md", "csv")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "forms", default="md", show_default=True,
              help=f"One or more of {', '.join(FORMATS)}, joined by commas.")
@click.option("--out", type=click.Path(path_type=Path), default=None,
              help="Folder for report.md, report.csv; needed for several formats. Default: standard output.")
def report(folders: tuple[Path, ...], forms: str, out: Path | None) -> None:
    """One row per cell and direction, from the results in FOLDERS."""
    from robustiqa.core.errors import InvalidInput, UnknownName
    from robustiqa.core.files import write_atomically
    from robustiqa.reports.results import load_results

    names = forms.split(",")
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if len(names) > 1 and out is None:
        raise InvalidInput(f"{len(names)} formats cannot share standard output; add --out FOLDER.")
    results = load_results(*folders)
    for name in names:
        text = results.report("csv" if name == "csv" else "md")
        if out is None:
            click.echo(text, nl=False)
        else:
            write_atomically(out / f"report.{name}", text)
            click.echo(out / f"report.{name}")
