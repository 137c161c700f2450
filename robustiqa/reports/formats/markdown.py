"""Tables in GitHub's Markdown."""

import re
from collections.abc import Sequence
from typing import Final

import pandas as pd

from robustiqa.reports.formats.numbers import DASH, figure, one_line, spread
from robustiqa.reports.table import Content, Number, Table

TIE: Final = "≈"
# an underscore within a word is a letter to GitHub
_SPECIAL: Final = re.compile(r"[\\|`*~\[\]]|(?<![^\W_])_|_(?![^\W_])")


def markdown(tables: Sequence[Table]) -> str:
    """The tables one under the other, each with its title and notes."""
    return "\n".join(map(_table, tables))


def _table(table: Table) -> str:
    rows = [[_cell(line.cells.get(column.key)) for column in table.columns] for line in table.lines]
    frame = pd.DataFrame(rows, columns=[escape(column.heading) for column in table.columns])
    head = f"**{escape(table.title)}**\n\n" if table.title else ""
    text = frame.to_markdown(index=False, disable_numparse=True)
    return f"{head}{text}\n\n" + "\n".join(map(escape, table.notes)) + "\n"


def _cell(content: Content) -> str:
    if content is None:
        return DASH
    if isinstance(content, Number):
        value = figure(content.value, content.digits)
        if value == DASH:
            return DASH
        value = f"**{value}**" if content.best else value
        parts = (value, TIE if content.tied else "", escape(content.mark), spread(content))
        return " ".join(filter(None, parts))
    return escape(str(content)) or " "


def escape(text: str) -> str:
    """Text that stays inside its table cell and says what it said: no markup, no HTML, no line break."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda match: "\\" + match[0], plain)
