"""Splits by reference, triplets derived from scores, and both through ``evaluate``."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.stats import pearsonr, spearmanr

from robustiqa.cli.evaluate_run import Plan, run_evaluate
from robustiqa.cli.main import cli
from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import split_path
from robustiqa.datasets import load_dataset
from robustiqa.datasets.splits import Split, splits_of
from robustiqa.datasets.triplets import derived_triplets
from tests.datasets.trees import bapps
from tests.toys import memory


def test_ten_splits_are_6_2_2_disjoint_and_repeat():
    """By reference; other seeds give other splits, the same seed the same."""
    pairs = [replace(pair, reference=f"r{i % 20}") for i, pair in enumerate(memory(40).pairs)]
    splits = splits_of(pairs, 10)
    assert [(len(s.train), len(s.val), len(s.test)) for s in splits] == [(12, 4, 4)] * 10
    assert all(len(s.train | s.val | s.test) == 20 for s in splits)
    assert splits == splits_of(pairs[::-1], 10)
    assert len({s.test for s in splits}) > 5
    assert splits_of(pairs, 1, seed=3)[0].test == splits_of(pairs, 4)[3].test


def test_the_authors_split_goes_before_random_ones_and_must_be_disjoint():
    """A reference on both sides is refused at run time, by name."""
    pairs = [replace(pair, split="train" if pair.reference == "r0" else "test") for pair in memory(6).pairs]
    (split,) = splits_of(pairs, 10)
    assert (split.name, split.train, split.test) == ("official", {"r0"}, {"r1"})
    with pytest.raises(InvalidInput, match="'r0' is in both train and test"):
        splits_of([*pairs, replace(pairs[0], split="test")])
    with pytest.raises(InvalidInput, match="in both"):
        Split("x", frozenset("a"), frozenset("b"), frozenset("b"))
    with pytest.raises(InvalidInput, match="5 or more"):
        splits_of(memory(8).pairs)


def test_derived_triplets_are_all_ordered_pairs_within_a_reference():
    """The better image is preferred, equal scores give no triplet, and the name says that they are derived."""
    data = memory(8)
    pairs = tuple(replace(pair, human=float(i // 2 % 3)) for i, pair in enumerate(data.pairs))
    data = replace(data, pairs=pairs)
    triplets = derived_triplets(data)
    human = {pair.id: (pair.human, pair.reference) for pair in pairs}
    assert triplets.name == "derived-memory"
    assert len(triplets.triplets) == 10  # two references with scores 0 1 2 0: six pairs each, one of them tied
    for triplet in triplets.triplets:
        (h0, r0), (h1, r1) = human[triplet.p0], human[triplet.p1]
        assert r0 == r1 == triplet.reference
        assert triplet.preference == float(h1 > h0)
    worse_is_higher = derived_triplets(replace(data, higher_better=False)).triplets
    assert [t.preference for t in worse_is_higher] == [1 - t.preference for t in triplets.triplets]
    with pytest.raises(InvalidInput, match="of its own"):
        derived_triplets(triplets)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("demo", ("demo", None)),
        ("live=/a=b", ("live", "/a=b")),
        ("csv:lower_better=true=/a:b=c", ("csv:lower_better=true", "/a:b=c")),
        ("csv:lower_better=true,file=t.csv", ("csv:lower_better=true,file=t.csv", None)),
        ("derived:live=/a", ("derived:live", "/a")),
        ("derived:csv:name=x=/a", ("derived:csv:name=x", "/a")),
        ("live=C:\\x=y", ("live", "C:\\x=y")),
    ],
)
def test_dataset_texts_split_into_name_and_path(text, parts):
    """Parameters belong to the name; a path may hold anything."""
    assert split_path(text) == parts


@pytest.fixture
def noisy(tmp_path):
    """Six references with five levels of noise each, MOS falling with it, and a second dataset of the same."""
    rng = np.random.default_rng(0)
    lines = ["reference,distorted,mos"]
    for r in range(6):
        pixels = rng.integers(40, 200, (24, 24, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"r{r}.png")
        for level in range(5):
            noise = rng.normal(size=pixels.shape) * (2 + 6 * level)
            Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(tmp_path / f"r{r}_{level}.png")
            lines.append(f"r{r}.png,r{r}_{level}.png,{5 - level + 0.3 * rng.random():.3f}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    return tmp_path


def run_plan(root, *datasets, splits=None, limit=None):
    run_evaluate(Plan(("psnr", "ssim"), tuple(map(split_path, datasets)), limit, splits, 0, root / "out", 4))


def test_evaluate_prints_every_dataset_with_intervals_and_keeps_predictions(noisy, capsys):
    """Tables, a summary over datasets, and predictions of each split from which its numbers can be had again."""
    table = noisy / "a.csv"
    run_plan(noisy, f"csv:name=one={table}", f"csv:name=two={table}", splits=10)
    text = capsys.readouterr().out
    for words in ("one, 30 pairs, MOS", "KROCC ↑ [95 % CI]", "PLCC ↑ [95 % CI]", "two: PLCC / SROCC / KROCC",
                  "10 splits 6:2:2 by reference", "few-clusters"):  # fmt: skip
        assert words in text
    with (noisy / "out" / "splits" / "one.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == set(map(str, range(10)))
    own = [row for row in rows if row["model"] == "ssim" and row["split"] == "4"]
    split = splits_of(load_dataset("csv", table).pairs, 10)[4]
    assert {row["reference"] for row in own} == split.test
    quality, score, mapped = ([float(row[key]) for row in own] for key in ("quality", "score", "mapped"))
    assert spearmanr(quality, score).statistic > 0.9
    assert pearsonr(quality, mapped).statistic > 0.9


def test_evaluate_prints_2afc_scores_of_triplets(noisy, tmp_path, capsys):
    """psnr orders noise perfectly; the scores of the pairs are shared with the dataset they come from."""
    run_plan(noisy, f"csv={noisy / 'a.csv'}", f"derived:csv={noisy / 'a.csv'}")
    text = capsys.readouterr().out
    assert "derived-csv, 60 triplets of 30 images, order of MOS within a reference" in text
    assert "1.000 [1.000, 1.000]" in text
    assert len(list((noisy / "out" / "cells").glob("*.json"))) == 2
    run_plan(noisy, f"bapps={bapps(tmp_path / 'bapps', [0.25, 0.5])}")
    text = capsys.readouterr().out
    assert "bapps-val, 12 triplets of 24 images" in text
    assert "0.625 [" in text  # p0 is the reference itself: credit of 0.75 and of 0.5
    assert "| frameinterp" in text


def test_evaluate_refuses_before_it_scores(noisy):
    """Equal names, splits of comparisons, too few references."""
    table = noisy / "a.csv"
    with pytest.raises(InvalidInput, match="called the same"):
        run_plan(noisy, f"csv={table}", f"csv={table}")
    with pytest.raises(InvalidInput, match="comparisons"):
        run_plan(noisy, f"derived:csv={table}", splits=2)
    with pytest.raises(InvalidInput, match="5 or more"):
        run_plan(noisy, f"csv={table}", splits=2, limit=5)
    assert not (noisy / "out").exists()


def test_datasets_lists_shows_and_checks(noisy, capsys):
    """With and without a name; exit code 2 where something is amiss."""
    from click.testing import CliRunner

    runner = CliRunner()
    assert "kadid10k" in runner.invoke(cli, ["datasets"]).stdout
    assert "lower_better" in runner.invoke(cli, ["datasets", "csv"]).stdout
    sound = runner.invoke(cli, ["datasets", "check", f"csv={noisy / 'a.csv'}"])
    assert (sound.exit_code, "36 images read: sound" in sound.stdout) == (0, True)
    (noisy / "r0_0.png").unlink()
    broken = runner.invoke(cli, ["datasets", "check", f"csv={noisy / 'a.csv'}"])
    assert (broken.exit_code, "missing: r0_0.png" in broken.stdout) == (2, True)
