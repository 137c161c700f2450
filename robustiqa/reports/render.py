"""Rows to text, for people (Markdown, LaTeX) and for machines (CSV, JSON).

What is undefined is a dash, an empty field or null, never NaN.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Final

from robustiqa.reports.draws import Estimate
from robustiqa.reports.formats import TABLE_FORMATS as FORMATS
from robustiqa.reports.formats import TableFormat as Format
from robustiqa.reports.formats import write
from robustiqa.reports.formats.csv_text import defused
from robustiqa.reports.formats.markdown import escape
from robustiqa.reports.formats.numbers import DASH, eps_text
from robustiqa.reports.formats.numbers import figure as number
from robustiqa.reports.frame import to_frame
from robustiqa.reports.rows import Row
from robustiqa.reports.rows_table import flags_text, rows_table

__all__ = [
    "DASH", "FORMATS", "Format", "eps_text", "escape", "flags_text", "interval_text", "number", "render", "to_frame",
]  # fmt: skip


def render(rows: Sequence[Row], form: Format) -> str:
    """``rows`` in one of ``FORMATS``; the same rows give the same bytes."""
    return _RENDERERS[form](rows)


def interval_text(estimate: Estimate | None) -> str:
    """``0.912 [0.874, 0.941]``, or a dash."""
    if estimate is None or not math.isfinite(estimate.value):
        return DASH
    interval = estimate.clustered
    return f"{number(interval.estimate)} [{number(interval.lo)}, {number(interval.hi)}]"


def _csv(rows: Sequence[Row]) -> str:
    frame = to_frame(rows)
    for column in frame.select_dtypes(include=["object", "string"]):
        frame[column] = frame[column].map(lambda value: defused(value) if isinstance(value, str) else value)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _json(rows: Sequence[Row]) -> str:
    frame = to_frame(rows)
    records = [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in
        record.items()} for record in frame.astype(object).to_dict("records")
    ]
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


_RENDERERS: Final[dict[Format, Callable[[Sequence[Row]], str]]] = {
    "md": lambda rows: write([rows_table(rows)], "md"),
    "csv": _csv,
    "tex": lambda rows: write([rows_table(rows)], "tex"),
    "json": _json,
}
