"""The speed table: what is measured, how often, and in which order."""

import json

import pytest
from click.testing import CliRunner

from robustiqa.benchmarks.speed import measure, synthetic_pair
from robustiqa.cli.speed import speed
from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model


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


def test_the_command_prints_ratios_to_the_first():
    """As a table and as JSON."""
    arguments = ["--model", "psnr", "--model", "ssim", "--size", "64x48", "--runs", "3"]
    assert "x first" in CliRunner().invoke(speed, arguments, catch_exceptions=False).output
    record = json.loads(CliRunner().invoke(speed, [*arguments, "--json"], catch_exceptions=False).output)
    first, second = record["models"]
    assert first["forward_ratio"] == 1
    assert second["forward_ratio"] == pytest.approx(first["forward_s"] / second["forward_s"])


def test_sizes_that_cannot_be_are_refused():
    """A typing error, and an image too small for a model."""
    with pytest.raises(InvalidInput, match="1920x1080"):
        CliRunner().invoke(speed, ["--model", "psnr", "--size", "64"], catch_exceptions=False)
    with pytest.raises(InvalidInput, match="minimum of 11"):
        CliRunner().invoke(speed, ["--model", "ssim", "--size", "8x8"], catch_exceptions=False)
