"""The formats of ``robustiqa report`` that draw: ``html`` and ``svg``."""

from collections.abc import Sequence

from robustiqa.cli.progress import bar
from robustiqa.core.parameters import split_path
from robustiqa.datasets import load_dataset
from robustiqa.reports.html.report import html_report
from robustiqa.reports.html.svg import figures_svg
from robustiqa.reports.results import Results


def pages(form: str, results: Results, datasets: Sequence[str], pictures: int | None) -> dict[str, str]:
    """Texts by file name.

    Args:
        form: ``html`` or ``svg``.
        results: what to report.
        datasets: where images are, as ``NAME=FOLDER``.
        pictures: how many to show; None as ``html_report`` has it.
    """
    if form == "svg":
        return {f"figures/{name}": text for name, text in figures_svg(results.rows()).items()}
    loaded = [load_dataset(*split_path(text)) for text in datasets]
    with bar() as progress:
        task = progress.add_task("pictures", total=None)
        text = html_report(
            results.cells,
            loaded,
            pictures,
            lambda done, total: progress.update(task, completed=done, total=total),
            results.folders,
            results.rows(),
        )
    return {"report.html": text}
