"""Table 8: the accuracy of Table 6 of purified models, beside the undefended ones and anchored adversarial training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from robustiqa.reports.layouts.accuracy import accuracy_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.table import Table

OTHER_TRAINING: Final = frozenset({"r", "at", "nt"})


def layout(folders: Sequence[Path], options: LayoutOptions) -> list[Table]:
    """One table per dataset, without the other training defenses, as in the paper."""
    what = "Table 8", "two-alternative choices under attack, purification and training"
    return accuracy_tables(
        folders, options, what, "table8_purification_bapps", lambda variant: variant.defense not in OTHER_TRAINING
    )
