"""Tables as JSON, for scripts: figures in full precision, null for what does not exist."""

import json
import math
from collections.abc import Sequence

from robustiqa.reports.table import Content, Number, Table


def json_text(tables: Sequence[Table]) -> str:
    """A list of tables, each with ``table``, ``title``, ``columns``, ``rows`` and ``notes``.

    A figure is an object with value, lo, hi, best, tied and mark.
    """
    return json.dumps(list(map(_table, tables)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _table(table: Table) -> dict[str, object]:
    return {
        "table": table.name,
        "title": table.title,
        "columns": [
            {"key": column.key, "title": column.heading, "better": column.better or None, "paper": column.paper}
            for column in table.columns
        ],
        "rows": [
            {
                "group": line.group,
                "cells": {column.key: _content(line.cells.get(column.key)) for column in table.columns},
            }
            for line in table.lines
        ],
        "notes": list(table.notes),
    }


def _content(content: Content) -> object:
    if not isinstance(content, Number):
        return content
    return {
        "value": _finite(content.value),
        "lo": _finite(content.lo),
        "hi": _finite(content.hi),
        "best": content.best,
        "tied": content.tied,
        "mark": content.mark,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
