"""Tables of Markdown, for the scripts that write reports."""

from collections.abc import Sequence

from tabulate import tabulate


def table(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Cells stand as they are given: no number is spelled anew."""
    return str(tabulate(lines, heads, tablefmt="pipe", disable_numparse=True))
