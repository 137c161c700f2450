"""Table 6: agreement with people's choices between two images, clean and with one of the two attacked."""

from collections.abc import Sequence
from pathlib import Path

from robustiqa.reports.layouts.accuracy import accuracy_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.table import Table


def layout(folders: Sequence[Path], options: LayoutOptions) -> list[Table]:
    """One table per dataset, with every defense."""
    what = "Table 6", "two-alternative choices under attack"
    return accuracy_tables(folders, options, what, "table6_bapps_2afc", lambda _: True)
