"""``robustiqa report``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from robustiqa.reports.results import Results

FORMATS = ("md", "csv", "html", "svg")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "forms", default="md", show_default=True,
              help=f"One or more of {', '.join(FORMATS)}, joined by commas.")
@click.option("--out", type=click.Path(path_type=Path), default=None,
              help="Folder for report.md, report.html, figures/*.svg; needed for svg and for several formats. "
              "Default: standard output.")
@click.option("--dataset", "datasets", multiple=True,
              help="html: NAME=FOLDER of the run's images, to show the most-moved; repeatable. demo needs none.")
@click.option("--pictures", type=click.IntRange(min=0), default=None,
              help="html: how many images to show, attacked again for it; 0 for none  "
              "[default: up to 12 within a minute]")
def report(
    folders: tuple[Path, ...], forms: str, out: Path | None, datasets: tuple[str, ...], pictures: int | None
) -> None:
    """One row per cell and direction, from the results in FOLDERS.

    html is one file to look at: leaderboard, curves, heat map, and the images that were moved most. It loads nothing
    from elsewhere. svg are its figures, a file each. Example:

    \b
      robustiqa report runs/bench --format html --out runs/report
    """
    from robustiqa.core.errors import InvalidInput, UnknownName
    from robustiqa.core.files import write_atomically
    from robustiqa.reports.results import load_results

    names = forms.split(",")
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if out is None and (len(names) > 1 or "svg" in names):
        raise InvalidInput(f"{forms}: several files cannot share standard output; add --out FOLDER.")
    results = load_results(*folders)
    for name in names:
        for file, text in _files(results, name, datasets, pictures).items():
            if out is None:
                click.echo(text, nl=False)
            else:
                write_atomically(out / file, text)
                click.echo(out / file)


def _files(results: "Results", form: str, datasets: tuple[str, ...], pictures: int | None) -> dict[str, str]:
    """Texts by file name."""
    from robustiqa.cli.report_pages import pages

    if form in {"html", "svg"}:
        return pages(form, results.cells, datasets, pictures)
    return {f"report.{form}": results.report("csv" if form == "csv" else "md")}
