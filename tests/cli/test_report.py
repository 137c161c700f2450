"""``robustiqa report``: formats, tables and what is refused, as a user meets it."""

import json
import os
import subprocess
import sys

import pytest

from tests.command import robustiqa
from tests.reports.runs import Made, model, part


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    made = Made(out)
    made.add(model("birqa"), attacks=["fgsm"], eps=(8 / 255,))
    made.add(model("birqa"), part("aat"), attacks=["fgsm"], move=0.2, eps=(8 / 255,))
    return out


def test_every_format_and_table_is_written(folder, tmp_path):
    """One file for each table and format; the same again byte for byte."""
    arguments = ["report", folder, "--format", "md,csv,tex,json", "--table", "table3", "--table", "table7", "--with-paper"]
    for out in ("a", "b"):
        result = robustiqa(*arguments, "--out", tmp_path / out)
        assert result.returncode == 0, result.stderr
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [f"table{n}.{form}" for n in (3, 7) for form in ("csv", "json", "md", "tex")]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert name in result.stdout


def test_one_text_goes_to_standard_output(folder):
    """The rows as JSON, a table as Markdown; direction, threat, n and flags are there."""
    records = json.loads(robustiqa("report", folder, "--format", "json").stdout)
    assert {record["direction"] for record in records} == {"up", "down", "tomean", "random"}
    assert [record["ir_score"] is None for record in records if record["direction"] == "up"] == [True, False]
    text = robustiqa("report", folder, "--table", "table3").stdout
    for word in ("tomean", "adaptive", "| n ", "flags", "ir-partial-eps", "8/255"):
        assert word in text


def test_processes_with_other_hash_seeds_write_the_same_bytes(folder, tmp_path):
    """Every format of the report: nothing follows the order of a set."""
    command = [sys.executable, "-c", "from robustiqa.cli.main import main; main()"]
    for seed in ("1", "2"):
        arguments = ["report", folder, "--format", "md,tex,csv,json,html,svg", "--out", tmp_path / seed]
        subprocess.run([*command, *arguments], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True)
    files = {seed: {p.relative_to(tmp_path / seed): p.read_bytes() for p in (tmp_path / seed).rglob("*.*")} for seed in ("1", "2")}
    assert {p.suffix for p in files["1"]} == {".md", ".tex", ".csv", ".json", ".html", ".svg"}
    assert files["1"] == files["2"]


def test_choices_reach_the_scores(folder):
    """Domain and target change IR-Scores, the bootstrap the intervals of tables."""
    def scores(*options):
        records = json.loads(robustiqa("report", folder, "--format", "json", *options).stdout)
        return [record["ir_score"] for record in records if record["defense"] == "aat"]

    assert scores() != scores("--domain", "minmax")
    assert scores() != scores("--target", "uniform")
    table = ["report", folder, "--table", "table3"]
    assert robustiqa(*table).stdout != robustiqa(*table, "--bootstrap", "iid").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "table10"], ["table10", "table1"]),
        (["--table", "table3", "--table", "table7"], ["several texts", "--out"]),
        (["--format", "md,csv"], ["several texts", "--out"]),
        (["--target", "lpips"], ["lpips", "uniform"]),
        (["--table", "table3", "--eps", "3/255"], ["3/255", "8/255"]),
        (["--table", "table4"], ["robustiqa ablate"]),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_one_line(folder, arguments, words):
    """Exit code 2, and the fix."""
    result = robustiqa("report", folder, *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
