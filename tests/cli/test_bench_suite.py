"""Suites, dry runs, pictures, transfers, comparisons and leaderboards as a user meets them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from robustiqa.benchmarks import plan as planning
from tests.command import robustiqa
from tests.toys import memory

SUITE = """title = "two runs"
judges = []

[[run]]
models = ["ssim", "no-weights-of-this"]
datasets = ["csv"]
attacks = ["fgsm"]
limit = 3
crop = 32
directions = ["up"]

[[run]]
models = ["psnr"]
datasets = ["csv"]
limit = 5
"""


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """A suite, six pairs of two references in a folder, and a calibration set that costs nothing."""
    monkeypatch.setattr(planning, "load_demo", lambda: replace(memory(12), name="calibration"))
    (tmp_path / "small.toml").write_text(SUITE)
    rng = np.random.default_rng(0)
    lines = ["reference,distorted,mos"]
    for r in range(2):
        reference = gaussian_filter(rng.uniform(0, 255, (40, 44, 3)), (3, 3, 0))
        _save(tmp_path / "pairs" / f"r{r}.png", reference)
        for level in range(3):
            _save(tmp_path / "pairs" / f"d{r}{level}.png", reference + rng.normal(0, 5 + 10 * level, reference.shape))
            lines.append(f"r{r}.png,d{r}{level}.png,{5 - level}")
    (tmp_path / "pairs" / "table.csv").write_text("\n".join(lines))
    return tmp_path


def _save(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


DATA = ("--dataset", "csv=pairs")


def test_options_replace_what_a_suite_says(suite):
    """Its unknown model is refused, unless --model replaces it; results go to the suite's own folder."""
    bad = robustiqa("bench", "small.toml", cwd=suite)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "small.toml:5: run 1, models: unknown model 'no-weights-of-this'" in bad.stderr
    result = robustiqa("bench", "small.toml", "--model", "gmsd", "--limit", "4", *DATA, cwd=suite)
    assert result.returncode == 0, result.stderr
    assert "runs/small/cells" in result.stdout
    assert "csv, 4 pairs" in result.stdout
    report = robustiqa("report", "runs/small", "--format", "csv", cwd=suite).stdout
    assert "gmsd" in report
    assert "ssim," not in report


def test_dry_run_counts_measures_and_writes_nothing(suite):
    """Passes, time and memory; what is done is subtracted."""
    arguments = ["bench", "small.toml", "--model", "psnr", "--out", "out", *DATA]
    dry = robustiqa(*arguments, "--dry-run", cwd=suite)
    assert dry.returncode == 0, dry.stderr
    assert "3 of      3 pairs to do: psnr csv fgsm up 8/255: 3 forward and 3 backward passes, " in dry.stdout
    assert "20 pairs to do" in dry.stdout  # both runs need the same clean cell, once
    assert " of memory" in dry.stdout
    assert not (suite / "out").exists()
    assert robustiqa(*arguments, cwd=suite).returncode == 0
    assert "0 pairs to do: 0 forward and 0 backward passes" in robustiqa(*arguments, "--dry-run", cwd=suite).stdout


def test_pictures_are_carried_to_other_models_and_runs_are_compared_and_ranked(suite):
    """From bench over transfer to compare and leaderboard, each in its formats."""
    bench = ["bench", "--attack", "fgsm", "--crop", "32", "--save-images", "--judges", "psnr", *DATA]
    for out, models in (("a", ["ssim", "gmsd"]), ("b", ["ssim"])):
        extra = [word for model in models for word in ("--model", model)]
        eps = ["--eps", "4/255"] if out == "b" else []
        result = robustiqa(*bench, *extra, *eps, "--out", out, cwd=suite)
        assert result.returncode == 0, result.stderr
    moved = robustiqa("transfer", "a", "--model", "ssim", "--model", "gmsd", "--model", "psnr", cwd=suite)
    assert moved.returncode == 0, moved.stderr
    for word in ("| made on", "on gmsd", "on psnr", "few-clusters"):
        assert word in moved.stdout
    files = robustiqa("transfer", "a", "--model", "psnr", "--format", "csv,json", "--out", "tables", cwd=suite)
    assert files.returncode == 0
    records = json.loads((suite / "tables" / "transfer.json").read_text())
    assert {(one["source"], one["target"]) for one in records} >= {("ssim", "psnr"), ("gmsd", "psnr"), ("ssim", "ssim")}
    assert (suite / "tables" / "transfer.csv").read_text().count("\n") == len(records) + 1
    compared = robustiqa("compare", "b", "b", cwd=suite)
    assert "nothing differs" in compared.stdout
    changed = robustiqa("compare", "a", "b", "--format", "json", cwd=suite)
    assert {one["model"] for one in json.loads(changed.stdout)} == {"ssim"}
    assert "eps: 8/255 → 4/255" in changed.stdout
    board = robustiqa("leaderboard", "a", "b", "--by", "gain", cwd=suite)
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
        (["bench", "--jobs", "2", "--threads", "2", "--model", "psnr", "--attack", "fgsm", *DATA], ["one CPU thread"]),
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


def test_equal_visibility_is_shown_in_place_of_eps(suite):
    """In the printed table and in the report, with the radius that was found."""
    arguments = ["bench", "--model", "gmsd", "--attack", "fgsm", "--limit", "2", "--calibrate", "ssim=0.9", *DATA]
    result = robustiqa(*arguments, "--judges", "none", "--out", "runs", cwd=suite)
    assert result.returncode == 0, result.stderr
    assert "ssim=0.9 white-box" in result.stdout
    header, first, *_ = robustiqa("report", "runs", "--format", "csv", cwd=suite).stdout.splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=False))
    assert row["calibrate"] == "ssim=0.9"
    assert 0 < float(row["eps"]) < 64 / 255


def test_a_bare_autoattack_is_the_quick_one_on_demo_alone(suite):
    """And says so: by its name in the table and by a flag; beside other datasets, or spelled out, it is what was asked for."""
    arguments = ["bench", "--model", "psnr", "--limit", "1", "--crop", "32", "--direction", "up", "--judges", "none"]
    done = robustiqa(*arguments, "--threads", "1", "--out", "quick", cwd=suite)
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(robustiqa("report", "quick", "--format", "json", cwd=suite).stdout)
    assert (record["attack"], record["n"]) == ("autoattack:quick", 1)
    assert "reduced-budget" in record["flags"]
    assert "autoattack:quick" in done.stdout
    for more in (["--attack", "autoattack:standard"], DATA, ["--dataset", "demo", *DATA]):
        planned = robustiqa(*arguments, *more, "--dry-run", cwd=suite).stdout
        assert "autoattack" in planned
        assert "quick" not in planned
