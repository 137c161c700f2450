"""Results of a run as Python objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.store import Store
from robustiqa.reports.defenses import defenses_frame, defenses_markdown
from robustiqa.reports.render import Format, as_csv, render, to_frame
from robustiqa.reports.rows import Row, make_rows


@dataclass(frozen=True)
class Results:
    """The cells of one or more output folders."""

    cells: tuple[Cell, ...]

    def rows(self, directions: Sequence[str] = ()) -> list[Row]:
        """One row per cell and direction; ``directions`` restricts them."""
        return make_rows(self.cells, directions)

    def to_dataframe(self) -> pd.DataFrame:
        """The rows as records, the columns of the CSV report."""
        return to_frame(self.rows())

    def report(self, form: Format) -> str:
        """The report as text."""
        return render(self.rows(), form)

    def defenses(self, form: Format) -> str:
        """Defenses side by side: clean cost, adaptive beside oblivious, and the worst of them."""
        rows = self.rows()
        return as_csv(defenses_frame(rows)) if form == "csv" else defenses_markdown(rows)


def load_results(*folders: str | Path) -> Results:
    """The results below one or more output folders; a cell that stands in several is taken once.

    Raises:
        InvalidInput: a folder holds no results, or a file that is not a cell.
    """
    cells = {cell.spec.key: cell for folder in folders for cell in Store(Path(folder)).cells()}
    return Results(tuple(cells.values()))
