"""Tables as text, one file per format. The same table always gives the same bytes."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias, get_args

from robustiqa.reports.formats.csv_text import csv_text
from robustiqa.reports.formats.json_text import json_text
from robustiqa.reports.formats.latex import latex
from robustiqa.reports.formats.markdown import markdown
from robustiqa.reports.table import Table

TableFormat: TypeAlias = Literal["md", "csv", "tex", "json"]
TABLE_FORMATS: Final[tuple[TableFormat, ...]] = get_args(TableFormat)


def write(tables: Sequence[Table], form: TableFormat) -> str:
    """One or more tables as one text."""
    return WRITERS[form](tables)


WRITERS: Final[dict[TableFormat, Callable[[Sequence[Table]], str]]] = {
    "md": markdown,
    "csv": csv_text,
    "tex": latex,
    "json": json_text,
}
