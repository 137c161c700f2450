"""Table 6: agreement with people's choices between two images, clean and with one of the two attacked."""


from robustiqa.reports.layouts.accuracy import accuracy_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.table import Table


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table per dataset, with every defense."""
    what = "Table 6", "two-alternative choices under attack"
    return accuracy_tables(run, options, what, "table6_bapps_2afc", lambda _: True)
