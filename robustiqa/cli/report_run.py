"""What ``robustiqa report`` does once its options are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from robustiqa.cli.progress import bar
from robustiqa.cli.report_pages import pages
from robustiqa.reports.figures import make_figures
from robustiqa.reports.formats import TableFormat, write
from robustiqa.reports.ir import DomainChoice
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.results import Results, load_results
from robustiqa.statistics import Domain, Mode


class Gallery(NamedTuple):
    """Which images the HTML report shows: datasets as NAME=FOLDER, and how many (None: what a minute allows)."""

    datasets: tuple[str, ...] = ()
    pictures: int | None = None


def choices(*, with_paper: bool, mode: str, domain: str, target: str, eps: float) -> LayoutOptions:
    """The options of the command line as those of a layout."""
    return LayoutOptions(with_paper, cast(Mode, mode), DomainChoice(cast(Domain, domain), target), eps)


def run_report(
    folders: Sequence[Path], forms: Sequence[str], domain: DomainChoice, gallery: Gallery, *, timeless: bool = False
) -> dict[str, str]:
    """Texts by file name: the report of all cells, in every format.

    Raises:
        InvalidInput: a folder without results, or a domain that they do not have.
    """
    results = load_results(*folders)
    results = results.timeless() if timeless else results
    return {file: text for form in forms for file, text in _whole(results, form, domain, gallery).items()}


def run_layouts(
    folders: Sequence[Path], tables: Sequence[str], forms: Sequence[str], options: LayoutOptions, figures: Sequence[str]
) -> dict[str, str]:
    """Texts by file name: ``tables`` of the paper in every format, and its ``figures`` as SVG.

    Raises:
        InvalidInput: a folder without results, an unknown name, or one that these folders cannot fill.
    """
    run, texts = Run(tuple(folders)), dict[str, str]()
    with bar() as progress:
        progress.add_task("computing scores", total=None)
        for name in tables:
            made = make_tables(name, run, options)
            texts |= {f"{name}.{form}": write(made, form) for form in cast(Sequence[TableFormat], forms)}
        for name in figures:
            texts |= make_figures(name, run)
    return texts


def _whole(results: Results, form: str, domain: DomainChoice, gallery: Gallery) -> dict[str, str]:
    if form in {"html", "svg"}:
        return pages(form, results, gallery.datasets, gallery.pictures)
    with bar() as progress:
        progress.add_task("computing scores", total=None)
        return {f"report.{form}": results.report(cast(TableFormat, form), domain)}
