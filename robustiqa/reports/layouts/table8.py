"""Table 8: the accuracy of Table 6 of purified models, beside the undefended ones and anchored adversarial training."""

from typing import Final

from robustiqa.reports.layouts.accuracy import accuracy_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.table import Table

OTHER_TRAINING: Final = frozenset({"r", "at", "nt"})


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table per dataset, without the other training defenses, as in the paper."""
    what = "Table 8", "two-alternative choices under attack, purification and training"
    return accuracy_tables(
        run, options, what, "table8_purification_bapps", lambda variant: variant.defense not in OTHER_TRAINING
    )
