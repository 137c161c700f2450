r"""Tables in LaTeX with booktabs. A file compiles by itself, and can be \input into a paper as it is."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from robustiqa.reports.formats.numbers import DASH, figure, one_line, spread
from robustiqa.reports.table import Better, Column, Content, Number, Table

# within a document \@nodocument is \relax; before its beginning it is an error message
HEAD: Final = r"""% Compiles by itself with pdflatex. In a paper: \usepackage{booktabs,graphicx}, and \input this file.
\makeatletter
\ifx\@nodocument\relax\else
  \documentclass{article}
  \usepackage{booktabs,graphicx}
  \usepackage[margin=1cm,paperwidth=29.7cm,paperheight=21cm]{geometry}
  \begin{document}
  \def\robustiqaalone{\end{document}}
\fi
\makeatother
\providecommand{\stacked}[2]{\begin{tabular}[c]{@{}c@{}}\rule{0pt}{2.4ex}#1\\[-0.4ex]{\scriptsize #2}\end{tabular}}
"""
TAIL: Final = "\\ifdefined\\robustiqaalone\\expandafter\\robustiqaalone\\fi\n"
SIGNS: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}", "'": r"\char39{}", "`": r"\char96{}",
    "-": "{-}", "[": "{[}", "*": "{*}",  # not part of a dash, nor an argument of the line break before
    "—": "---", "–": "--", "−": "$-$", "±": r"$\pm$", "≈": r"$\approx$", "×": r"$\times$", "ε": r"$\varepsilon$",
    "Δ": r"$\Delta$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "†": r"$\dagger$", "≥": r"$\geq$", "²": "$^2$",
}  # fmt: skip
ARROWS: Final[dict[Better, str]] = {"higher": r"~$\uparrow$", "lower": r"~$\downarrow$", "": ""}


def latex(tables: Sequence[Table]) -> str:
    """The tables, each a float with caption, label and notes."""
    names = [table.name for table in tables]
    places = [names[:i].count(name) for i, name in enumerate(names)]
    return HEAD + "\n".join(map(_table, tables, places)) + TAIL


def _table(table: Table, before: int) -> str:
    """``before``: how many tables of the file have the same name and stand above it; labels must differ."""
    rows = [_heading(table.columns), *_body(table)]
    notes = " ".join(map(escape, table.notes))
    return "\n".join([
        r"\begin{table}[ht]",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(table.title)}}}",
        rf"\label{{tab:{_label(table.name)}{f'-{before + 1}' if before else ''}}}",
        r"\sbox{0}{%",
        rf"\begin{{tabular}}{{{''.join(_alignment(table, column) for column in table.columns)}}}",
        r"\toprule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\ifdim\wd0>\linewidth\sbox{0}{\resizebox{\linewidth}{!}{\usebox{0}}}\fi",
        r"\ifdim\dimexpr\ht0+\dp0\relax>.8\textheight\sbox{0}{\resizebox*{!}{.8\textheight}{\usebox{0}}}\fi",
        r"\usebox{0}",
        rf"\par\smallskip\raggedright {notes}",
        r"\end{table}",
        "",
    ])  # fmt: skip


def _heading(columns: Sequence[Column]) -> str:
    """Titles, and over them the names of their groups where there are any."""
    own = " & ".join(map(_title, columns, (None, *columns))) + r" \\"
    if not any(column.group for column in columns):
        return f"{own}\n\\midrule"
    over, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.group):
        count = len(list(members))
        over.append(rf"\multicolumn{{{count}}}{{c}}{{{escape(group)}}}" if group else " & " * (count - 1))
        rules += [rf"\cmidrule(lr){{{start}-{start + count - 1}}}"] if group else []
        start += count
    return " & ".join(over) + rf" \\ {' '.join(rules)}" + f"\n{own}\n\\midrule"


def _title(column: Column, before: Column | None) -> str:
    """Within its own column's shadow the paper's needs no name of its own."""
    if before is not None and column.paper and column.title == f"{before.title}, paper":
        return "paper"
    return escape(column.title) + ARROWS[column.better]


def _body(table: Table) -> Iterator[str]:
    earlier = table.lines[0].group if table.lines else ""
    for line in table.lines:
        if line.group != earlier:
            yield r"\midrule"
        earlier = line.group
        yield " & ".join(_cell(line.cells.get(column.key), column.key) for column in table.columns) + r" \\"


def _cell(content: Content, key: str) -> str:
    if content is None:
        return "---"
    if not isinstance(content, Number):
        text = escape(str(content))
        return rf"\parbox{{3cm}}{{\scriptsize\raggedright {text}}}" if key == "flags" and text else text
    value = figure(content.value, content.digits)
    if value == DASH:
        return "---"
    value = escape(value.replace("-", "−"))
    value = rf"\textbf{{{value}}}" if content.best else value
    tie = r"$^{\approx}$" if content.tied else ""
    mark = rf"\textsuperscript{{{escape(content.mark)}}}" if content.mark else ""
    interval = escape(spread(content).replace("-", "−"))
    above = value + tie + mark
    return rf"\stacked{{{above}}}{{{interval}}}" if interval else above


def _alignment(table: Table, column: Column) -> str:
    return "l" if any(isinstance(line.cells.get(column.key), str) for line in table.lines) else "c"


def _label(name: str) -> str:
    return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign == "-"))


def escape(text: str) -> str:
    """Text that LaTeX sets as it is and never runs; signs that pdflatex cannot set are named by their code point."""
    return "".join(map(_sign, one_line(text)))


def _sign(sign: str) -> str:
    if sign in SIGNS:
        return SIGNS[sign]
    if sign.isascii() and sign.isprintable():
        return sign
    return " " if sign == "\t" else f"{{[}}U+{ord(sign):04X}]"
