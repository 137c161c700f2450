"""``robustiqa report``."""

from pathlib import Path

import click

FORMATS = ("md", "csv")
TABLES = ("cells", "defenses")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "forms", default="md", show_default=True,
              help=f"One or more of {', '.join(FORMATS)}, joined by commas.")
@click.option("--table", default="cells", show_default=True,
              help="cells: one row per cell and direction; defenses: adaptive, oblivious, the worst, the clean cost.")
@click.option("--out", type=click.Path(path_type=Path), default=None,
              help="Folder for report.md, report.csv; needed for several formats. Default: standard output.")
def report(folders: tuple[Path, ...], forms: str, table: str, out: Path | None) -> None:
    """A table of the results in FOLDERS.

    \b
      robustiqa report runs/bench --table defenses
    """
    from robustiqa.core.errors import InvalidInput, UnknownName
    from robustiqa.core.files import write_atomically
    from robustiqa.reports.render import Format
    from robustiqa.reports.results import load_results

    names = forms.split(",")
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if table not in TABLES:
        raise UnknownName("table", table, TABLES)
    if len(names) > 1 and out is None:
        raise InvalidInput(f"{len(names)} formats cannot share standard output; add --out FOLDER.")
    results = load_results(*folders)
    for name in names:
        form: Format = "csv" if name == "csv" else "md"
        text = results.defenses(form) if table == "defenses" else results.report(form)
        if out is None:
            click.echo(text, nl=False)
        else:
            write_atomically(out / f"report.{name}", text)
            click.echo(out / f"report.{name}")
