"""Tables and picture of the feature search and the ablation."""

import math

import pytest

from robustiqa.reports.lab import ablation_markdown, search_frame, search_markdown
from robustiqa.training.ablation import TABLE
from robustiqa.training.search import Found
from robustiqa.training.trial import Timing, Trial

SIZE = "1920x1080"


def trial(features, srocc, seconds):
    return Trial(model="birqa", features=features, parameters=7, steps=9, references=3, srocc=srocc, plcc=0.5, within_type=0.4,
                 timings={SIZE: Timing(forward=seconds, yardstick=0.5, runs=1)})  # fmt: skip


@pytest.fixture
def found():
    sets = {("ssim",): (0.8, 0.25), ("lbp",): (0.9, 0.5), ("vif",): (0.7, 1.0), ("ssim", "vif"): (math.nan, 0.1)}
    trials = {features: trial(features, *figures) for features, figures in sets.items()}
    return Found(trials, {"ssim": 0.1, "vif": 0.9}, ("vif",))


def test_the_search_is_a_table_with_its_front(found):
    """Best first, what is undefined last and as a dash; the front is that of SROCC and speed."""
    frame = search_frame(list(found.trials.values()), SIZE)
    assert list(frame["features"]) == ["lbp", "ssim", "vif", "ssim+vif"]
    assert list(frame["pareto"])[:3] == [0, 0, 1]
    assert list(frame["fps"]) == [2.0, 4.0, 1.0, 10.0]
    text = search_markdown(found, SIZE)
    assert "| **lbp**" in text
    assert "| vif " in text
    assert "| —" in text
    assert "nan" not in text
    assert "1 without a defined SROCC" in text
    assert [line.split("|")[1].strip() for line in text.splitlines()[-2:]] == ["ssim", "vif"]
    assert "dropped" in text.splitlines()[-1]


def test_the_ablation_is_a_table_of_modules():
    """A row per row of the paper's, a dash where a module is replaced."""
    text = ablation_markdown({modules: trial(("ssim",), 0.9, 0.25) for modules in TABLE}, SIZE)
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines()[4:]]
    assert rows == [["—", "—", "—"], ["yes", "—", "—"], ["yes", "yes", "—"], ["yes", "yes", "yes"]]
    assert "2.00" in text
