"""Results of a run as Python objects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.folder.store import Store
from robustiqa.reports.attacked_choices import AttackedChoices, attacked_choices, choices_markdown
from robustiqa.reports.ir import DomainChoice
from robustiqa.reports.render import Format, render, to_frame
from robustiqa.reports.rows import Row, make_rows


@dataclass(frozen=True)
class Results:
    """The cells of one or more output folders, in which pictures may have been kept."""

    cells: tuple[Cell, ...]
    folders: tuple[Path, ...] = ()

    def rows(self, directions: Sequence[str] = (), domain: DomainChoice | None = None) -> list[Row]:
        """One row per cell and direction; ``directions`` restricts them, IR-Scores are taken in ``domain``."""
        if directions or (domain is not None and domain != DomainChoice()):
            return make_rows(self.cells, directions, domain=domain)
        return list(self._rows)

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        """All rows in the usual domain: every format of a report shows them."""
        return tuple(make_rows(self.cells))

    def to_dataframe(self, domain: DomainChoice | None = None) -> pd.DataFrame:
        """The rows as records, the columns of the CSV report: numbers as numbers, NaN or None where undefined."""
        return to_frame(self.rows(domain=domain))

    def timeless(self) -> "Results":
        """Without the times that were measured: two runs of the same cells then have the same report."""
        return Results(tuple(_timeless(cell) for cell in self.cells))

    def choices(self) -> list[AttackedChoices]:
        """Two-alternative choices under attack, where the datasets hold comparisons."""
        return attacked_choices(self.cells)

    def report(self, form: Format | Literal["html"], domain: DomainChoice | None = None) -> str:
        """The report as text: ``md`` (with a table of the choices below the rows, where there are any), ``csv``,
        ``tex``, ``json``, or ``html``: one file, with pictures where the images come with the install.
        """
        if form == "html":
            from robustiqa.reports.html.report import html_report  # noqa: PLC0415 (templates, which a bench has no use for)

            return html_report(self.cells, folders=self.folders, rows=self._rows)
        text = render(self.rows(domain=domain), form)
        choices = choices_markdown(self.choices()) if form == "md" else ""
        return f"{text}\n{choices}" if choices else text


def _timeless(cell: Cell) -> Cell:
    rows = tuple(row.model_copy(update={"seconds": math.nan}) for row in cell.samples)
    return cell.model_copy(update={"samples": rows})


def load_results(*folders: str | Path) -> Results:
    """The results below one or more output folders; a cell that stands in several is taken once.

    Raises:
        InvalidInput: a folder holds no results, or a file that is not a cell.
    """
    cells = {cell.spec.key: cell for folder in folders for cell in Store(Path(folder)).cells()}
    return Results(tuple(cells.values()), tuple(map(Path, folders)))
