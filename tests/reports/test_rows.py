"""Rows, flags and texts of a report."""

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import bench
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, clean_jobs, plan
from robustiqa.benchmarks.running import run
from robustiqa.reports.evaluation import evaluation_markdown, evaluations
from robustiqa.reports.formats.csv_text import defused, field
from robustiqa.reports.render import eps_text, escape, render
from robustiqa.reports.results import load_results
from tests.toys import Linear, Wavy, memory

COLUMNS = [
    "dataset",
    "model",
    "defense",
    "attack",
    "eps",
    "direction",
    "threat",
    "n",
    "n_excluded",
    "srocc_clean",
    "srocc_clean_lo",
    "srocc_clean_hi",
    "srocc_attacked",
    "srocc_attacked_lo",
    "srocc_attacked_hi",
    "gain",
    "gain_lo",
    "gain_hi",
    "ssim_perturbation",
    "forwards",
    "backwards",
    "seconds",
    "flags",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    bench([Wavy()], ["bim:steps=3"], memory(), directions=["up", "tomean"], out=out, crop=20)
    return out


def test_csv_has_the_promised_columns_and_one_row_per_direction(folder):
    """What scripts rely on."""
    rows = list(csv.DictReader(io.StringIO(load_results(folder).report("csv"))))
    assert set(COLUMNS) <= set(rows[0])
    assert [row["direction"] for row in rows] == ["up", "tomean"]
    assert "nan" not in load_results(folder).report("csv").lower().replace("finance", "")


def test_gain_and_correlations_equal_a_computation_by_hand(folder):
    """From the cells' own rows, with scipy."""
    up, tomean = load_results(folder).rows()
    clean, attacked = (np.array([-getattr(r, f) for r in up.view.rows]) for f in ("clean", "attacked"))
    calibration = np.array([-r.clean for r in up.view.calibration])
    width = np.subtract(*np.percentile(calibration, (99, 1)))
    human = np.array([r.quality for r in up.view.rows])
    assert up.gain.value == pytest.approx(float((attacked - clean).mean() / width))
    assert up.srocc_clean.value == pytest.approx(spearmanr(human, clean).statistic)
    assert up.srocc_attacked.value == pytest.approx(spearmanr(human, attacked).statistic)
    mean = memory().quality().mean()
    for row, sign in zip(tomean.view.rows, tomean.view.signs, strict=True):
        assert sign == (1 if row.quality < mean else -1)
        assert sign * (row.clean - row.attacked) >= 0  # a distance falls where quality is raised


def test_flags_say_what_a_reader_must_know(folder):
    """Crop, few references, plug-in code."""
    row = load_results(folder).rows()[0]
    assert {"crop-20", "few-clusters", "plug-in"} <= set(row.flags)
    assert row.srocc_whole is not None


def test_labels_seen_in_training_is_flagged_on_the_same_labels_only(tmp_path, toy_calibration):
    """A model trained on the dataset's labels says so."""

    class Seen(Linear):
        info = replace(Linear.info, name="seen", trained_on=("toy",))

    bench([Seen(), Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    flags = {row.view.spec.model.name: row.flags for row in load_results(tmp_path).rows()}
    assert "labels-seen-in-training" in flags["seen"]
    assert "labels-seen-in-training" not in flags["linear"]


def test_an_unfinished_cell_is_shown_and_flagged(tmp_path, toy_calibration):
    """A journal without its cell is a run that was stopped."""
    request = Request((Linear(),), (load_attack("fgsm"),), (memory(),), directions=("up",))
    jobs = plan(request)
    run(jobs, tmp_path / "whole")
    job = next(j for j in jobs if j.spec.purpose == "attack")
    store, whole = Store(tmp_path / "part"), Store(tmp_path / "whole")
    for other in jobs:
        rows = list(whole.read(other.spec).values())
        (store.append(other.spec, rows[:5], {}) if other is job else store.finish(other.spec, rows, {}))
    (row,) = load_results(tmp_path / "part").rows()
    assert row.n == 5
    assert "unfinished" in row.flags


@given(st.text(max_size=30))
def test_any_name_stays_in_its_markdown_cell(name):
    """Pipes, newlines and backticks of a plug-in's name do not break the table."""
    escaped = escape(name)
    assert "\n" not in escaped
    assert "|" not in escaped.replace("\\\\", "").replace("\\|", "")


@given(st.sampled_from("=+-@\t\r"), st.text(max_size=10))
def test_text_that_a_spreadsheet_would_run_is_defused(first, rest):
    """A cell never begins with a formula's sign; numbers stay numbers."""
    assert str(defused(first + rest)).startswith("'")
    assert field(-1.5) == "-1.5"


def test_markdown_names_direction_threat_interval_and_score(folder):
    """A reader of the table alone knows what was measured."""
    text = render(load_results(folder).rows(), "md")
    for word in ("tomean", "white-box", "95 % CI", "memory: toy", "bim"):
        assert word in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_eps_is_written_in_levels_where_it_is_whole():
    """8/255 is how the field writes it."""
    assert eps_text(8 / 255) == "8/255"
    assert eps_text(0.05) == "0.05"


def test_evaluation_compares_models_on_the_same_pairs(tmp_path):
    """The first model is the base; few references allow no claim; scipy agrees."""
    jobs = clean_jobs(Request((Wavy(), Linear()), (), (memory(20),)))
    run(jobs, tmp_path)
    cells = {cell.spec.key: cell for cell in Store(tmp_path).cells()}
    table = evaluations([cells[job.spec.key] for job in jobs])
    assert [e.model for e in table] == ["wavy", "linear"]
    assert table[0].difference is None
    assert table[1].difference.estimate == pytest.approx(table[1].srocc.estimate - table[0].srocc.estimate)
    assert table[1].difference.verdict == "not separable"
    cell = cells[jobs[0].spec.key]
    expected = spearmanr([r.quality for r in cell.samples], [-r.clean for r in cell.samples]).statistic
    assert table[0].srocc.estimate == pytest.approx(expected)
    assert "few-clusters" in evaluation_markdown(table)
    assert math.isfinite(table[0].plcc)
