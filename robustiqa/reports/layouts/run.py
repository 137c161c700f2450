"""The results that a table is made of."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from robustiqa.benchmarks.cell import Cell
from robustiqa.reports.results import load_results


@dataclass(frozen=True)
class Run:
    """Output folders; their cells are read once, when the first table asks for them."""

    folders: tuple[Path, ...]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of all folders, each once.

        Raises:
            InvalidInput: a folder holds none, or a file that is not a cell.
        """
        return load_results(*self.folders).cells
