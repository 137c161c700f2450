"""Rows to text, for people (Markdown, LaTeX) and for machines (CSV, JSON).

What is undefined is a dash, an empty field or null, never NaN.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from robustiqa.reports.conditions import budget_text, threat_text
from robustiqa.reports.draws import Estimate
from robustiqa.reports.formats import TABLE_FORMATS as FORMATS
from robustiqa.reports.formats import TableFormat as Format
from robustiqa.reports.formats import write
from robustiqa.reports.formats.frames import frame_csv, frame_json
from robustiqa.reports.formats.markdown import escape
from robustiqa.reports.formats.numbers import DASH, eps_text
from robustiqa.reports.formats.numbers import figure as number
from robustiqa.reports.frame import to_frame
from robustiqa.reports.rows import Row
from robustiqa.reports.rows_table import flags_text, judges_text, rows_table

__all__ = [
    "DASH", "FORMATS", "Format", "budget_text", "eps_text", "escape", "flags_text", "frame_csv", "frame_json",
    "interval_text", "judges_text", "number", "render", "threat_text", "to_frame",
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


_RENDERERS: Final[dict[Format, Callable[[Sequence[Row]], str]]] = {
    "md": lambda rows: write([rows_table(rows)], "md"),
    "csv": lambda rows: frame_csv(to_frame(rows)),
    "tex": lambda rows: write([rows_table(rows)], "tex"),
    "json": lambda rows: frame_json(to_frame(rows)),
}
