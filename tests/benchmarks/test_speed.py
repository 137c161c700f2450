"""The speed table: what is measured, how often, and in which order."""

import json

import pytest

from robustiqa.benchmarks.speed import measure, synthetic_pair
from robustiqa.models import load_model
from robustiqa.reports.evaluation import evaluations
from robustiqa.reports.results import load_results
from robustiqa.reports.speed import read_measurement
from tests.command import robustiqa
from tests.datasets.trees import save


def test_runs_are_interleaved_and_references_prepared_once_for_attacks(monkeypatch):
    """Every model takes its turn in each run; only the forward pass prepares the reference again."""
    models, calls = [load_model("psnr"), load_model("ssim")], []
    for model in models:
        name, prepare, compare = model.info.name, model.prepare, model.compare
        monkeypatch.setattr(model, "prepare", lambda ref, n=name, f=prepare: calls.append(f"{n} prepare") or f(ref))
        monkeypatch.setattr(model, "compare", lambda r, d, n=name, f=compare: calls.append(f"{n} compare") or f(r, d))
    measure(models, *synthetic_pair(64, 48), runs=2)
    once = [call for name in ("psnr", "ssim") for call in (f"{name} prepare", f"{name} compare", f"{name} compare")]
    assert calls == ["psnr prepare", "ssim prepare", *once * 3]


def test_the_command_prints_ratios_to_the_first_and_flags(tmp_path):
    """As a table and as JSON; untrained weights show."""
    arguments = ["--model", "psnr", "--model", "birqa:weights=random", "--size", "64x48", "--runs", "3", "--out", str(tmp_path)]
    assert "x first" in robustiqa("speed", *arguments).stdout
    record = json.loads(robustiqa("speed", *arguments, "--json").stdout)
    assert not list(tmp_path.iterdir())  # nothing was scored, nothing is kept
    first, second = record["models"]
    assert first["forward_ratio"] == 1
    assert second["forward_ratio"] == pytest.approx(first["forward_s"] / second["forward_s"])
    assert (first["flags"], second["flags"]) == ([], ["random-weights"])


def test_with_a_dataset_correlations_stand_beside_the_speed(tmp_path):
    """The same numbers as evaluate's, from the same cells: a second call scores nothing."""
    for i in range(8):
        save(tmp_path / f"{i}.png", (16, 16), value=3 * i * i)
    rows = [f"{i // 2}.png,{i}.png,{(i * 5) % 8}" for i in range(8)]
    (tmp_path / "t.csv").write_text("\n".join(["reference,distorted,mos", *rows]))
    out = tmp_path / "runs"
    arguments = ["--model", "ssim", "--model", "psnr", "--size", "32x32", "--runs", "1", "--dataset", f"csv={tmp_path}"]
    result = robustiqa("speed", *arguments, "--out", out, "--json")
    records = json.loads(result.stdout)["models"]
    assert [point.model for point in read_measurement(out / "speed.json").models] == ["ssim", "psnr"]
    before = {file: file.stat().st_mtime_ns for file in (out / "cells").rglob("*.json")}
    table = robustiqa("speed", *arguments, "--out", out).stdout
    assert before == {file: file.stat().st_mtime_ns for file in (out / "cells").rglob("*.json")}
    expected = {one.model: one for one in evaluations(load_results(out).cells)}
    assert [record["model"] for record in records] == ["ssim", "psnr"]
    for record in records:
        one = expected[record["model"]]
        assert (record["plcc"], record["srocc"]) == (one.plcc_interval.estimate, one.srocc.estimate)
        assert f"{record['srocc']:.3f} [{record['srocc_lo']:.3f}, {record['srocc_hi']:.3f}]" in table
        assert "few-clusters" in record["flags"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "psnr", "--dataset", "derived:demo"], "comparisons"),
        (["--model", "psnr", "--size", "64"], "1920x1080"),
        (["--model", "ssim", "--size", "8x8"], "minimum of 11"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, words, tmp_path):
    """Comparisons, which have no correlations; a typing error; an image too small for a model."""
    result = robustiqa("speed", *arguments, "--out", tmp_path)
    assert (result.returncode, words in result.stderr) == (2, True)
