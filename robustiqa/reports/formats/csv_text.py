"""Tables as CSV, for machines and for spreadsheets, which must never take a name for a formula."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from robustiqa.reports.formats.numbers import one_line
from robustiqa.reports.table import Column, Content, Number, Table

FORMULA: Final = frozenset("=+-@\t\r")


def csv_text(tables: Sequence[Table]) -> str:
    """The tables below each other as one, with the table's title in the first column.

    A figure has its interval in ``_lo`` and ``_hi``, and in ``_best`` and ``_tied`` how it compares, where that is
    known.
    """
    records = [{"table": table.title or table.name, **record} for table in tables for record in _records(table)]
    fields = list(dict.fromkeys(name for record in records for name in record))
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fields, restval="", lineterminator="\n")
    writer.writerow({name: defused(name) for name in fields})
    writer.writerows({name: field(value) for name, value in record.items()} for record in records)
    return file.getvalue()


def _records(table: Table) -> Iterator[dict[str, object]]:
    figures = {name for line in table.lines for name, content in line.cells.items() if isinstance(content, Number)}
    ranked = {
        name for line in table.lines for name, content in line.cells.items()
        if isinstance(content, Number) and (content.best or content.tied)
    }  # fmt: skip
    marked = {name for line in table.lines for name, content in line.cells.items()
              if isinstance(content, Number) and content.mark}  # fmt: skip
    for line in table.lines:
        record: dict[str, object] = {}
        for column in table.columns:
            record |= _fields(column, line.cells, figures, ranked, marked)
        yield record


def _fields(
    column: Column, cells: Mapping[str, Content], figures: set[str], ranked: set[str], marked: set[str]
) -> dict[str, object]:
    content, key = cells.get(column.key), column.key
    if key not in figures:
        return {key: "" if content is None else content}
    known = content if isinstance(content, Number) else Number(math.nan)
    fields: dict[str, object] = {key: known.value if content is known or content is None else content}
    if not column.paper or math.isfinite(known.lo):
        fields |= {f"{key}_lo": known.lo, f"{key}_hi": known.hi}
    if key in ranked:
        fields |= {f"{key}_best": known.best, f"{key}_tied": known.tied}
    if key in marked:
        fields[f"{key}_mark"] = known.mark
    return fields


def field(value: object) -> str:
    """A value as CSV's text: numbers in six digits, NaN and None as nothing, names defused."""
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return "" if value is None else str(value)


def defused(text: str) -> str:
    """Text with an apostrophe before what a spreadsheet would run as a formula; line breaks become spaces."""
    return one_line(f"'{text}" if text[:1] in FORMULA else text)
