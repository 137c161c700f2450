"""Directions composed from cells, sample by sample, and rows of what cannot be averaged."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from robustiqa.benchmarks.bench import bench
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.reports.results import load_results
from robustiqa.statistics import random_signs
from tests.toys import Constant, Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


def by_direction(folder):
    return {row.view.direction: row for row in load_results(folder).rows()}


def test_tomean_takes_each_sample_from_the_cell_of_its_sign(tmp_path):
    """The mean is the whole dataset's, though a limit took the better half of it."""
    data = memory(8)
    data = replace(data, pairs=tuple(sorted(data.pairs, key=lambda pair: -pair.human)))
    bench([Wavy()], ["fgsm"], data, directions=["up", "down", "tomean"], limit=5, out=tmp_path)
    rows = by_direction(tmp_path)
    cells = {d: {r.id: r for r in rows[d].view.rows} for d in ("up", "down")}
    mean = sum(pair.human for pair in data.pairs) / 8
    expected = {p.id: cells["up" if p.human < mean else "down"][p.id] for p in data.pairs[:5]}
    assert {r.id: r for r in rows["tomean"].view.rows} == expected
    assert {r.id for r in rows["tomean"].view.rows if r.quality < mean} == {data.pairs[4].id}


def test_random_takes_each_sample_from_the_cell_of_its_coin(tmp_path):
    """The coin is thrown by seed and sample id; no third cell is computed."""
    bench([Wavy()], ["fgsm"], memory(), directions=["random"], seed=3, out=tmp_path)
    cells = [c for c in load_results(tmp_path).cells if c.spec.purpose == "attack"]
    assert {c.spec.direction for c in cells} == {"up", "down"}
    (row,) = load_results(tmp_path).rows(["random"])
    ids = [r.id for r in row.view.rows]
    source = {r.id: c.spec.direction for c in cells for r in c.samples}
    assert len(source) == sum(len(c.samples) for c in cells) == 8
    assert [1 if source[i] == "up" else -1 for i in ids] == random_signs(ids, 3).tolist() == row.view.signs.tolist()


def test_gain_of_a_mixed_direction_is_the_attackers_success(tmp_path):
    """By hand: sign times change of the oriented score, over the q01-q99 range of the calibration scores."""
    bench([Wavy()], ["pgd:steps=2"], memory(), directions=["tomean"], out=tmp_path)
    row = by_direction(tmp_path)["tomean"]
    mean = memory().quality().mean()
    q = [-r.clean for r in row.view.calibration]
    width = np.percentile(q, 99) - np.percentile(q, 1)
    raw = [(1 if r.quality < mean else -1) * (r.clean - r.attacked) for r in row.view.rows]
    rounded = [(1 if r.quality < mean else -1) * (r.clean - r.attacked_8bit) for r in row.view.rows]
    assert len(q) == 12
    assert row.gain_raw == pytest.approx(np.mean(raw))
    assert row.gain.value == pytest.approx(np.mean(raw) / width)
    assert row.gain_8bit == pytest.approx(np.mean(rounded) / width)
    assert row.gain.clustered.lo <= row.gain.value <= row.gain.clustered.hi
    assert row.ssim == pytest.approx(np.mean([r.ssim for r in row.view.rows]))
    assert (row.forwards, row.backwards) == (2, 2)


def test_equal_human_scores_are_all_attacked_downwards(tmp_path):
    """None is below the mean, however its sum is rounded; the row is there."""
    pairs = tuple(replace(pair, human=0.1) for pair in memory(3).pairs)  # numpy's mean of three 0.1 is above 0.1
    bench([Linear()], ["fgsm"], replace(memory(), pairs=pairs), directions=["tomean"], out=tmp_path)
    row = by_direction(tmp_path)["tomean"]
    assert row.view.signs.tolist() == [-1] * 3


class Never(QualityModel):
    """NaN for every image."""

    info = ModelInfo("never", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        return dist.flatten(1).sum(1) * torch.nan


def test_a_model_without_one_finite_score_has_a_row_without_numbers(tmp_path):
    """Its samples are counted, its numbers are dashes, and the other models' rows stay."""
    bench([Never(), Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    linear, never = load_results(tmp_path).rows()
    assert (never.n, never.n_excluded, linear.n) == (0, 8, 8)
    assert math.isnan(never.gain.value)
    assert {"non-finite-scores", "undefined"} <= set(never.flags)
    for form in ("csv", "md"):
        assert "nan" not in load_results(tmp_path).report(form).lower()


def test_without_calibration_the_gain_is_native_only(tmp_path):
    """A model that failed on the calibration set still has its other numbers; the flag says what is missing."""
    bench([Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    (cell,) = (c for c in load_results(tmp_path).cells if c.spec.purpose == "calibration")
    (tmp_path / "cells" / f"{cell.spec.key}.json").unlink()
    (row,) = load_results(tmp_path).rows()
    assert math.isnan(row.gain.value)
    assert row.gain_raw > 0
    assert math.isfinite(row.srocc_clean.value)
    assert "zero-range" in row.flags


def test_a_constant_model_has_no_gain_to_normalise(tmp_path):
    """Its range is zero, its correlation undefined and its gradient dead: each is said."""
    bench([Constant()], ["fgsm"], memory(), directions=["up"], out=tmp_path)
    (row,) = load_results(tmp_path).rows()
    assert {"zero-range", "undefined", "dead-gradients"} <= set(row.flags)
    assert row.gain_raw == 0


def test_a_cell_that_two_folders_hold_is_shown_once(tmp_path):
    """The same run made twice is one row."""
    for name in ("a", "b"):
        bench([Linear()], ["fgsm"], memory(), directions=["up"], out=tmp_path / name)
    assert len(load_results(tmp_path / "a", tmp_path / "b").rows()) == 1
