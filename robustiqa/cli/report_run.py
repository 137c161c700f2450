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
    folders: Sequence[Path], forms: Sequence[str], names: Sequence[str], options: LayoutOptions, gallery: Gallery, *,
    timeless: bool = False,
) -> dict[str, str]:  # fmt: skip
    """Texts by file name: the tables ``names``, or where none is named the report, in every format.

    Raises:
        InvalidInput: a folder without results, an unknown table, or one that these results cannot fill.
    """
    texts: dict[str, str] = {}
    if not names:
        results = load_results(*folders)
        results = results.timeless() if timeless else results
        for form in forms:
            texts |= _whole(results, form, options.domain, gallery)
        return texts
    run = Run(tuple(folders))
    with bar() as progress:
        progress.add_task("computing scores", total=None)
        for name in names:
            tables = make_tables(name, run, options)
            texts |= {f"{name}.{form}": write(tables, form) for form in cast(Sequence[TableFormat], forms)}
    return texts


def run_figures(folders: Sequence[Path], names: Sequence[str]) -> dict[str, str]:
    """SVG texts by file name: the paper's figures ``names``, each of what the folders hold.

    Raises:
        InvalidInput: an unknown figure, or one that these folders cannot fill.
    """
    run = Run(tuple(folders))
    return {file: text for name in names for file, text in make_figures(name, run).items()}


def _whole(results: Results, form: str, domain: DomainChoice, gallery: Gallery) -> dict[str, str]:
    if form in {"html", "svg"}:
        return pages(form, results, gallery.datasets, gallery.pictures)
    with bar() as progress:
        progress.add_task("computing scores", total=None)
        return {f"report.{form}": results.report(cast(TableFormat, form), domain)}
