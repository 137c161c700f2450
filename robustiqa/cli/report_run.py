"""What ``robustiqa report`` does once its options are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from robustiqa.cli.progress import bar
from robustiqa.reports.formats import TableFormat, write
from robustiqa.reports.ir import DomainChoice
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.render import render
from robustiqa.reports.rows import make_rows
from robustiqa.statistics import Domain, Mode


def choices(*, with_paper: bool, mode: str, domain: str, target: str, eps: float) -> LayoutOptions:
    """The options of the command line as those of a layout."""
    return LayoutOptions(with_paper, cast(Mode, mode), DomainChoice(cast(Domain, domain), target), eps)


def run_report(
    folders: Sequence[Path], forms: Sequence[str], names: Sequence[str], options: LayoutOptions
) -> dict[str, str]:
    """Texts by file name: the tables ``names``, or where none is named the report, in every format.

    Raises:
        InvalidInput: a folder without results, an unknown table, or one that these results cannot fill.
    """
    wanted = cast(Sequence[TableFormat], forms)
    run, texts = Run(tuple(folders)), dict[str, str]()
    with bar() as progress:
        progress.add_task("computing scores", total=None)
        if not names:
            rows = make_rows(run.cells, domain=options.domain)
            return {f"report.{form}": render(rows, form) for form in wanted}
        for name in names:
            tables = make_tables(name, run, options)
            texts |= {f"{name}.{form}": write(tables, form) for form in wanted}
    return texts
