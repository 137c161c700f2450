"""The verdict of the strength report: who is stronger, and when a difference is no more than rounding."""

from pathlib import Path

import pytest

import robustiqa as rq
from robustiqa.benchmarks.cell import SampleRow
from tests.scripts import loaded

IMAGES = 4
OURS, THEIRS = "pgd", "torchattacks:pgd"
THEIR_GAINS = [0.1, 0.2, 0.3, 0.4]


@pytest.fixture(scope="module")
def tables():
    return loaded(Path(__file__).parents[2] / "benchmarks" / "strength_tables.py")


def rows(gains, passes=10):
    return [
        SampleRow(id=str(i), reference="r", distortion="blur:1", quality=3.0, status="ok", clean=0.5,
                  attacked=0.5 - gain, attacked_8bit=0.5 - gain, ssim=0.9, forwards=passes, backwards=passes)
        for i, gain in enumerate(gains)
    ]  # fmt: skip


def measured(tables, gains, rerounded=(), passes=10):
    """Of a distance, so a rise of J is a fall of the score."""
    return tables.Measured(
        model=rq.load_model("psnr").info,
        options={"images": IMAGES, "crop": 64},
        sign=-1,
        rows={OURS: rows(gains, passes), THEIRS: rows(THEIR_GAINS)},
        rerounded={OURS: rows(rerounded)},
        alike=[[OURS]],
        pairs=[(OURS, THEIRS)],
        limit="none",
    )


def verdict(tables, one):
    text = tables.report([one], tables.Suite("demo", "8/255", "up"))
    (row,) = (line for line in text.split("## psnr")[1].splitlines() if line.startswith(f"| `{OURS}` ") and THEIRS in line)
    return row.split("|")[-2].strip()


@pytest.mark.parametrize(
    ("gains", "rerounded", "expected"),
    [
        (THEIR_GAINS, (), "yes"),
        ([g * 0.9991 for g in THEIR_GAINS], (), "yes"),
        ([0.1, 0.2, 0.3, 0.39], (), "**no**"),
        ([0.1, 0.2, 0.3, 0.39], THEIR_GAINS[:3], "**no**"),
        ([0.1, 0.2, 0.3, 0.39], [0.1, 0.2, 0.3, 0.391], "**no**"),
        ([0.1, 0.2, 0.3, 0.39], [0.1, 0.19, 0.3, 0.39], "to rounding"),
    ],
    ids=["equal", "allowed", "not measured", "not finished", "rounds less than it lacks", "rounds more than it lacks"],
)
def test_ours_holds_by_its_gains_or_to_its_own_rounding(tables, gains, rerounded, expected):
    """A shortfall counts as rounding only if the same attack was seen to move by more on these images."""
    assert verdict(tables, measured(tables, gains, rerounded)) == expected


def test_more_calls_never_hold(tables):
    """A stronger attack that asked the model more often is no better attack."""
    assert verdict(tables, measured(tables, [1.0] * IMAGES, passes=11)) == "**no**"


def test_the_images_of_all_models_count_together(tables):
    """One miss among many images is a small share of them, though a large one of a model that has few."""
    few = measured(tables, [0.1, 0.2, 0.3, 0.39])
    text = tables.report([few, *[measured(tables, THEIR_GAINS)] * 5], tables.Suite("demo", "8/255", "up"))
    (together,) = (line for line in text.split("## psnr")[0].splitlines() if line.startswith(f"| `{OURS}`"))
    assert [cell.strip() for cell in together.split("|")[3:-1]] == ["24", "95.8%", "yes"]
