"""The LaTeX of a table, compiled: by itself, and within a paper."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from robustiqa.reports.formats import write
from tests.reports.formats.test_formats import table

HOSTILE = "\\input{x} {$%#&_^~}|<>\"'` [a] *b* ?` -- ε=8/255 é 漢 \u2028 😀 \x07"


@pytest.fixture
def compiled(tmp_path):
    """pdflatex's exit code and log for a file."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: apt-get install texlive-latex-base texlive-latex-recommended")

    def run(name):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name],
            cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace",
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


def test_a_table_compiles_by_itself(tmp_path, compiled):
    """Two tables in one file, with hostile names, give a PDF without errors."""
    (tmp_path / "t.tex").write_text(write([table(HOSTILE, flags=HOSTILE), table()], "tex"), encoding="utf-8")
    code, log = compiled("t.tex")
    assert code == 0, log[-2000:]
    assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF")


def test_a_table_can_be_used_in_a_paper(tmp_path, compiled):
    """The same file, read by a document of its own class, between other text."""
    (tmp_path / "t.tex").write_text(write([table(HOSTILE)], "tex"), encoding="utf-8")
    paper = "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}Before.\\input{t.tex}After.\\end{document}"
    (tmp_path / "paper.tex").write_text(paper)
    code, log = compiled("paper.tex")
    assert code == 0, log[-2000:]


def test_a_table_of_many_lines_is_made_smaller_and_stays_on_its_page(tmp_path, compiled):
    """No line runs out of it; two tables of one name have labels of their own."""
    many = replace(table(), lines=table().lines * 60)
    (tmp_path / "t.tex").write_text(write([many, many], "tex"), encoding="utf-8")
    code, log = compiled("t.tex")
    assert code == 0, log[-2000:]
    assert "too large for page" not in log
    assert "multiply defined" not in log
