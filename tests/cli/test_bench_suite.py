"""Suites, dry runs, pictures, transfers, comparisons and leaderboards as a user meets them."""

import json

import pytest

from tests.command import robustiqa

SUITE = """title = "two runs"
judges = []

[[run]]
models = ["ssim", "no-weights-of-this"]
datasets = ["demo"]
attacks = ["fgsm"]
limit = 3
crop = 48
directions = ["up"]

[[run]]
models = ["psnr"]
datasets = ["demo"]
limit = 5
"""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "small.toml").write_text(SUITE)
    return tmp_path


def test_options_replace_what_a_suite_says(suite):
    """Its unknown model is refused, unless --model replaces it; results go to the suite's own folder."""
    bad = robustiqa("bench", "small.toml", cwd=suite)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "small.toml:5: run 1, models: unknown model 'no-weights-of-this'" in bad.stderr
    result = robustiqa("bench", "small.toml", "--model", "gmsd", "--limit", "4", cwd=suite)
    assert result.returncode == 0, result.stderr
    assert "runs/small/cells" in result.stdout
    assert "demo, 4 pairs" in result.stdout
    report = robustiqa("report", "runs/small", "--format", "csv", cwd=suite).stdout
    assert "gmsd" in report
    assert "ssim," not in report


def test_dry_run_counts_measures_and_writes_nothing(suite):
    """Passes, time and memory; what is done is subtracted."""
    arguments = ["bench", "small.toml", "--model", "psnr", "--out", "out"]
    dry = robustiqa(*arguments, "--dry-run", cwd=suite)
    assert dry.returncode == 0, dry.stderr
    assert "3 of      3 pairs to do: psnr demo fgsm up 8/255: 3 forward and 3 backward passes, " in dry.stdout
    assert "78 pairs to do" in dry.stdout  # both runs need the same clean cell, once
    assert " of memory" in dry.stdout
    assert not (suite / "out").exists()
    assert robustiqa(*arguments, cwd=suite).returncode == 0
    assert "0 pairs to do: 0 forward and 0 backward passes" in robustiqa(*arguments, "--dry-run", cwd=suite).stdout


def test_pictures_are_carried_to_other_models_and_runs_are_compared_and_ranked(tmp_path):
    """From bench over transfer to compare and leaderboard, each in its formats."""
    bench = ["bench", "--attack", "fgsm", "--limit", "5", "--crop", "48", "--save-images", "--judges", "psnr"]
    for out, models in (("a", ["ssim", "gmsd"]), ("b", ["ssim"])):
        extra = [word for model in models for word in ("--model", model)]
        eps = ["--eps", "4/255"] if out == "b" else []
        result = robustiqa(*bench, *extra, *eps, "--out", out, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    moved = robustiqa("transfer", "a", "--model", "ssim", "--model", "gmsd", "--model", "psnr", cwd=tmp_path)
    assert moved.returncode == 0, moved.stderr
    for word in ("| made on", "on gmsd", "on psnr", "few-clusters"):
        assert word in moved.stdout
    files = robustiqa("transfer", "a", "--model", "psnr", "--format", "csv,json", "--out", "tables", cwd=tmp_path)
    assert files.returncode == 0
    records = json.loads((tmp_path / "tables" / "transfer.json").read_text())
    assert {(one["source"], one["target"]) for one in records} >= {("ssim", "psnr"), ("gmsd", "psnr"), ("ssim", "ssim")}
    assert (tmp_path / "tables" / "transfer.csv").read_text().count("\n") == len(records) + 1
    compared = robustiqa("compare", "b", "b", cwd=tmp_path)
    assert "nothing differs" in compared.stdout
    changed = robustiqa("compare", "a", "b", "--format", "json", cwd=tmp_path)
    assert {one["model"] for one in json.loads(changed.stdout)} == {"ssim"}
    assert "eps: 8/255 → 4/255" in changed.stdout
    board = robustiqa("leaderboard", "a", "b", "--by", "gain", cwd=tmp_path)
    assert board.returncode == 0, board.stderr
    assert "| 1=" in board.stdout
    assert "transfer from ssim" in board.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "absent.toml"], ["absent.toml", "benchmarks/"]),
        (["bench", "small.toml", "--model", "psnr", "--dataset", "live=a", "--dataset", "live=b"], ["live", "twice"]),
        (["bench", "--calibrate", "ssim"], ["ssim=0.95"]),
        (["bench", "--judges", "sim"], ["sim", "ssim"]),
        (["bench", "--jobs", "2", "--threads", "2", "--model", "psnr", "--attack", "fgsm"], ["one CPU thread"]),
        (["transfer", "nowhere"], ["nowhere", "robustiqa bench"]),
        (["compare", "nowhere", "nowhere"], ["nowhere"]),
        (["leaderboard", "nowhere"], ["nowhere"]),
        (["leaderboard", "nowhere", "--format", "html"], ["html", "csv"]),
        (["compare", "a", "b", "--format", "md,csv"], ["--out"]),
    ],
)
def test_bad_input_gets_one_clear_line(suite, arguments, words):
    """And exit code 2."""
    result = robustiqa(*arguments, cwd=suite)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_equal_visibility_is_shown_in_place_of_eps(tmp_path):
    """In the printed table and in the report, with the radius that was found."""
    arguments = ["bench", "--model", "gmsd", "--attack", "fgsm", "--limit", "2", "--crop", "48", "--calibrate", "ssim=0.9"]
    result = robustiqa(*arguments, "--judges", "none", "--out", "runs", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "ssim=0.9 white-box" in result.stdout
    header, first, *_ = robustiqa("report", "runs", "--format", "csv", cwd=tmp_path).stdout.splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=False))
    assert row["calibrate"] == "ssim=0.9"
    assert 0 < float(row["eps"]) < 64 / 255
