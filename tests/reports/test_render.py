"""Texts of a report: what a spreadsheet, a Markdown reader and a script make of them."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robustiqa.benchmarks.bench import bench
from robustiqa.benchmarks.plan import Request, clean_jobs
from robustiqa.benchmarks.running import run
from robustiqa.reports.evaluation import evaluation_markdown, evaluations
from robustiqa.reports.render import render
from robustiqa.reports.results import load_results
from tests.toys import Linear, memory

NUMBERS = (
    "eps", "n", "n_excluded", "srocc_clean", "srocc_clean_lo", "srocc_clean_hi", "srocc_clean_iid_lo",
    "srocc_clean_iid_hi", "srocc_attacked", "srocc_attacked_lo", "srocc_attacked_hi", "gain", "gain_lo", "gain_hi",
    "gain_raw", "gain_8bit", "ssim_perturbation", "forwards", "backwards", "seconds",
)  # fmt: skip


@pytest.fixture
def rows(tmp_path, toy_calibration):
    bench([Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    return load_results(tmp_path).rows()


def renamed(row, name):
    spec = row.view.spec
    parts = {"dataset": spec.dataset, "model": spec.model, "attack": spec.attack}
    spec = spec.model_copy(update={k: part.model_copy(update={"name": name}) for k, part in parts.items()})
    return replace(row, view=replace(row.view, spec=spec), flags=(name,))


def columns(line):
    """Cells of a table's line as GitHub splits it: at every | that no backslash escapes."""
    assert line.startswith("|")
    assert line.endswith("|")
    return re.findall(r"((?:\\.|[^|\\])*)\|", line[1:])


NASTY = st.text(st.sampled_from("|\\\n\r\x0b\x0c\x1c\x85\u2028\u2029\t` <a-:=") | st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=60)
@given(name=NASTY)
@example("a\r|b")
@example("\\|")
@example("a\\")
@example("\u2028|\x0b")
def test_a_markdown_table_keeps_its_shape_for_any_name(table_row, name):
    """Header, rule and row have the same number of cells, on three lines, whatever names a plug-in chose."""
    text = render([renamed(table_row, name), table_row], "md")
    lines = re.split(r"\r\n|\r|\n", text.split("\n\nHuman scores")[0])
    assert len({len(columns(line)) for line in lines}) == 1
    assert len(lines) == len(text.split("\n\nHuman scores")[0].splitlines()) == 4
    assert columns(lines[3])[1].strip() == "linear"


@pytest.fixture(scope="module")
def table_row(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: replace(memory(12), name="calibration"))
        out = tmp_path_factory.mktemp("table")
        bench([Linear()], ["fgsm"], memory(), directions=["up"], out=out)
    return load_results(out).rows()[0]


@settings(max_examples=60)
@given(name=NASTY | st.builds("".join, st.tuples(st.sampled_from("=+-@\t\r"), st.just("cmd|' /C calc'!A0"))))
@example('=HYPERLINK("http://x")')
def test_csv_is_read_back_and_never_runs(table_row, name):
    """A CSV reader finds one row and, on one line, the name; no text begins with what a spreadsheet would run."""
    text = render([renamed(table_row, name)], "csv")
    (record,) = csv.DictReader(io.StringIO(text, newline=""))
    apostrophe = "'" if name[:1] in set("=+-@\t\r") else ""
    assert record["model"] == " ".join((apostrophe + name).splitlines())
    assert not any(record[c][:1] in set("=+-@\t\r") for c in ("dataset", "model", "attack", "flags") if record[c])


def test_numbers_of_the_csv_are_those_of_the_rows(rows):
    """Every number column parses, and to what the row holds; a negative one gets no apostrophe."""
    (row,) = rows
    (record,) = csv.DictReader(io.StringIO(render(rows, "csv")))
    values = {name: float(record[name]) for name in NUMBERS}
    assert values["eps"] == pytest.approx(8 / 255, rel=1e-5)
    assert values["gain"] == pytest.approx(row.gain.value, rel=1e-5)
    assert (values["gain_lo"], values["gain_hi"]) == pytest.approx((row.gain.clustered.lo, row.gain.clustered.hi), rel=1e-5)
    assert values["srocc_clean"] == pytest.approx(row.srocc_clean.value, rel=1e-5)
    assert record["srocc_clean_iid_lo"].startswith("-")
    assert (record["defense"], record["threat"], record["srocc_whole"]) == ("none", "white-box", "")


def test_markdown_counts_what_was_left_out(rows):
    """Excluded samples stand beside n."""
    assert "| 8 (−3) " in render([replace(rows[0], n_excluded=3)], "md")


def test_evaluation_tables_keep_their_shape_for_any_name(tmp_path):
    """Names of models and of distortion types are escaped there too."""

    class Piped(Linear):
        info = replace(Linear.info, name="a|b\nc")

    data = memory(20)
    data = replace(data, pairs=tuple(replace(p, distortion=p.distortion + "|\n") for p in data.pairs))
    run(clean_jobs(Request((Piped(), Linear()), (), (data,))), tmp_path)
    text = evaluation_markdown(evaluations(sorted(load_results(tmp_path).cells, key=lambda c: c.spec.model.name)))
    for table in text.split("\n\nSROCC within type:\n\n"):
        lines = table.strip().split("\n")
        assert len(lines) == 4
        assert len({len(columns(line)) for line in lines}) == 1
