"""A table in every format: complete, the same bytes again, and safe whatever names a plug-in chose."""

import csv
import io
import json
import math
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robustiqa.reports.formats import TABLE_FORMATS, write
from robustiqa.reports.formats.latex import escape as latex_escape
from robustiqa.reports.formats.markdown import escape as markdown_escape
from robustiqa.reports.table import Column, Line, Number, Table
from tests.reports.formats.hostile import NASTY

COLUMNS = (
    Column("model", "model"),
    Column("n", "n"),
    Column("fgsm", "FGSM", "SROCC", "higher"),
    Column("fgsm_paper", "FGSM, paper", "SROCC", "higher", paper=True),
    Column("flags", "flags"),
)


def table(name="birqa", flags="few-clusters"):
    lines = (
        Line({"model": name, "n": 7, "fgsm": Number(-0.1234, -0.2, 0.05, best=True), "fgsm_paper": Number(0.568)}, "a"),
        Line({"model": "b", "n": 7, "fgsm": Number(-0.2, -0.3, -0.1, tied=True, mark="*†", half=True), "flags": flags}, "a"),
        Line({"model": "c", "n": None, "fgsm": Number(math.nan)}, "b"),
    )
    return Table("table3", "Title of it", COLUMNS, lines, ("A note.", f"On {name}."))


def cells(line):
    """Cells of a Markdown row as GitHub splits it."""
    return [cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])*)\|", line[1:])]


def test_markdown_says_all_that_the_table_does():
    """Title, arrows, bold, ties, marks, intervals in both styles, dashes and notes."""
    lines = write([table()], "md").splitlines()
    assert lines[0] == "**Title of it**"
    assert cells(lines[2]) == ["model", "n", "SROCC FGSM ↑", "SROCC FGSM, paper ↑", "flags"]
    assert cells(lines[4]) == ["birqa", "7", "**-0.123** [-0.200, 0.050]", "0.568", "—"]
    assert cells(lines[5]) == ["b", "7", r"-0.200 ≈ \*† ± 0.100", "—", "few-clusters"]
    assert cells(lines[6]) == ["c", "—", "—", "—", "—"]
    assert lines[-2:] == ["A note.", "On birqa."]


def test_csv_has_every_figure_with_its_interval_and_rank():
    """Six digits, empty where nothing is, true and false for best and tied, the title in the first column."""
    records = list(csv.DictReader(io.StringIO(write([table()], "csv"))))
    assert [record["table"] for record in records] == ["Title of it"] * 3
    first, second, third = records
    assert (first["fgsm"], first["fgsm_lo"], first["fgsm_hi"]) == ("-0.1234", "-0.2", "0.05")
    assert (first["fgsm_best"], first["fgsm_tied"], second["fgsm_tied"]) == ("true", "false", "true")
    assert second["fgsm_mark"] == "*†"
    assert first["fgsm_paper"] == "0.568"
    assert (third["fgsm"], third["fgsm_lo"], third["n"], third["flags"]) == ("", "", "", "")


def test_json_is_complete_and_has_no_nan():
    """Full precision, null for what is undefined, and which columns are the paper's."""
    (record,) = json.loads(write([table()], "json"), parse_constant=pytest.fail)
    assert record["table"] == "table3"
    assert record["rows"][0]["cells"]["fgsm"] == {
        "value": -0.1234, "lo": -0.2, "hi": 0.05, "best": True, "tied": False, "mark": "",
    }  # fmt: skip
    assert record["rows"][2]["cells"]["fgsm"]["value"] is None
    assert [column["key"] for column in record["columns"] if column["paper"]] == ["fgsm_paper"]
    assert record["notes"] == ["A note.", "On birqa."]


def test_latex_has_booktabs_rules_and_groups():
    """Top, middle and bottom rule, a rule between groups, the group's name over its columns, minus signs."""
    text = write([table()], "tex")
    for part in (r"\toprule", r"\bottomrule", r"\multicolumn{2}{c}{SROCC}", r"\cmidrule(lr){3-4}", r"\textbf{$-$0.123}"):
        assert part in text
    assert text.count(r"\midrule") == 2
    assert r"$^{\approx}$" in text


@pytest.mark.parametrize("form", TABLE_FORMATS)
def test_the_same_table_gives_the_same_bytes(form):
    """Twice the same; a table of no lines is no error."""
    assert write([table(), table("x")], form) == write([table(), table("x")], form)
    write([Table("empty", "Empty", COLUMNS, ())], form)


@settings(max_examples=60)
@given(name=NASTY)
@example("\\|")
@example("a\r|b")
@example("[x](javascript:alert(1)) ![y](z)")
@example("<script>alert(1)</script> **bold** _it_ `code`")
def test_markdown_keeps_its_shape_and_runs_nothing(name):
    """One line per row with as many cells as columns; no HTML, link or emphasis of a name's making."""
    lines = write([table(name)], "md").split("\n\n")[1].splitlines()
    assert len(lines) == 5
    assert {len(cells(line)) for line in lines} == {5}
    assert not re.search(r"(?<!\\)[\[\]`*<]", markdown_escape(name))


@settings(max_examples=60)
@given(name=NASTY | st.builds("".join, st.tuples(st.sampled_from("=+-@\t\r"), st.just("cmd|' /C calc'!A0"))))
@example('=HYPERLINK("http://x")')
@example("\t=1+1")
def test_csv_is_read_back_and_never_runs(name):
    """As many records as lines, and no text that a spreadsheet would take for a formula; numbers stay numbers."""
    records = list(csv.DictReader(io.StringIO(write([table(name, flags=name)], "csv"), newline="")))
    assert len(records) == 3
    apostrophe = "'" if name[:1] in set("=+-@\t\r") else ""
    assert records[0]["model"] == " ".join((apostrophe + name).splitlines())
    for record in records:
        assert not any(record[field][:1] in set("=+-@\t\r") for field in ("model", "flags", "table") if record[field])
    assert float(records[0]["fgsm"]) == -0.1234


@settings(max_examples=60)
@given(name=NASTY)
def test_json_gives_names_back(name):
    """Whatever the name, it is read back as it was."""
    (record,) = json.loads(write([table(name)], "json"))
    assert record["rows"][0]["cells"]["model"] == name


@settings(max_examples=60)
@given(name=NASTY | st.text("\\{}$&#_%~^-[]*<>|\"'`", max_size=9))
@example("\\input{/etc/passwd}")
@example("%")
@example("$^^M")
def test_latex_never_runs_a_name(name):
    """Every sign that TeX acts on is spelled; what is left is printable ASCII, balanced."""
    text = latex_escape(name)
    assert text.isascii()
    assert "\n" not in text
    plain = re.sub(r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|char\d\d)\{\}", "", text)
    plain = re.sub(r"\\[{}$&#_%]|\{[-\[*]\}|-{2,3}|\$(-|\^2|\\[A-Za-z]+)\$", "", plain)
    assert not re.search(r"[\\{}$&#_%~^<>|\"'`*\[-]", plain), text
