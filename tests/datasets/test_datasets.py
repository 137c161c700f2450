"""Datasets: published layouts, demo, splits, and folders that are not what they should be."""

import csv
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.datasets import load_dataset
from robustiqa.datasets.distortions import TYPES, distort, distortion
from robustiqa.datasets.distortions.transmission import transmission_errors
from robustiqa.datasets.expected_scores import PRISTINE, WORST, expected_score, published_means
from robustiqa.datasets.files import inside
from robustiqa.datasets.splits import check_disjoint, split_by_reference


@pytest.fixture(scope="module")
def photograph():
    from skimage import data

    return data.astronaut()[100:228, 100:260]


@pytest.mark.parametrize("code", range(1, 26))
def test_every_type_runs_at_and_beyond_its_levels_and_repeats(photograph, code):
    """Deterministic uint8 images of the same size; other names give other draws only where there are draws."""
    for level in (0, 1, 2.5, 5, 8):
        image = distort(photograph, code, level, "a")
        assert image.shape == photograph.shape
        assert image.dtype == np.uint8
        assert np.array_equal(image, distort(photograph, code, level, "a"))


@pytest.mark.parametrize("code", [c for c in range(1, 26) if c not in {18, 23, 25}])
def test_damage_grows_with_level(photograph, code):
    """Mean squared error rises; 18 and 25 cross the pristine image, 23 draws places and colours anew."""
    errors = [((distort(photograph, code, level, "a").astype(float) - photograph) ** 2).mean() for level in (1, 3, 5)]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]


def test_committed_means_are_those_of_the_published_scores(shared):
    """125 means over 81 references each, recomputed from KADID-10k's table."""
    sums = Counter()
    counts = Counter()
    with (shared / "data" / "score_tables" / "KADID-10k.csv").open() as file:
        for row in csv.DictReader(file):
            code, level = (int(part) for part in row["dis_img_path"].split(".")[0].split("_")[1:3])
            sums[code, level] += float(row["score"])
            counts[code, level] += 1
    assert set(counts.values()) == {81}
    for (code, level), total in sums.items():
        assert published_means()[code - 1, level - 1] == pytest.approx(total / 81, abs=5e-5)


def test_level_order_follows_dmos_order_save_where_the_published_means_do_not():
    """Worse level, lower expected score; mean shift, contrast and colour shift are published otherwise."""
    exceptions = {
        TYPES[code - 1]
        for code in range(1, 26)
        if any(expected_score(code, a) <= expected_score(code, a + 1) for a in range(1, 5))
    }
    assert exceptions == {"mean-shift", "contrast", "color-shift"}


@given(st.integers(1, 25), st.floats(0, 12))
@settings(max_examples=200)
def test_expected_scores_stay_on_the_scale(code, level):
    """Between and beyond the published levels labels never leave 1 to 4.62, and fall beyond level 5."""
    score = expected_score(code, level)
    assert WORST <= score <= PRISTINE
    if level > 5:
        assert score <= expected_score(code, 5)


def test_amounts_pass_through_the_published_ones():
    """Level k is the k-th published amount; levels between lie between."""
    for code in range(1, 26):
        item = distortion(code)
        assert [item.amount(level) for level in range(1, 6)] == [pytest.approx(a) for a in item.amounts]
        assert min(item.amounts[:2]) <= item.amount(1.5) <= max(item.amounts[:2])


def test_demo_begins_stratified():
    """The first 35 pairs: 7 references x 5, every level 7 times, every type at least once; 875 distinct in all."""
    demo = load_dataset("demo")
    first = demo.limited(35).pairs
    assert Counter(pair.reference for pair in first) == dict.fromkeys({pair.reference for pair in demo.pairs}, 5)
    assert Counter(pair.level for pair in first) == dict.fromkeys(range(1, 6), 7)
    assert {pair.distortion for pair in first} == set(TYPES)
    assert len({pair.id for pair in demo.pairs}) == 875
    assert demo.human_score.startswith("expected")


def test_demo_images_are_cached_as_they_are_made():
    """Read again from the cache, the pixels are the same."""
    demo = load_dataset("demo")
    pair = demo.pairs[3]
    ref, dist = demo.images(pair)
    again = demo.images(pair)[1]
    assert ref.shape == dist.shape
    assert bool((dist == again).all())
    assert not bool((dist == ref).all())


def test_live_subset_is_recognised_and_read(shared):
    """72 pairs of 4 references, DMOS, shown as a subset."""
    live = load_dataset("live", shared / "data" / "live_r2_subset")
    assert (live.name, len(live.pairs), len({p.reference for p in live.pairs})) == ("live-subset", 72, 4)
    assert not live.higher_better
    ref, dist = live.images(live.pairs[0])
    assert ref.shape == dist.shape


@pytest.fixture
def official(tmp_path):
    """LIVE r2 as published, but for its pixels: one reference and one distorted image."""
    counts = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}
    for name in ("refimgs", *counts):
        (tmp_path / name).mkdir()
    names = np.array([f"ref{i % 29}.bmp" for i in range(982)], dtype=object)
    orgs = np.zeros((1, 982), dtype=np.uint8)
    orgs[0, -203:] = 1
    savemat(tmp_path / "refnames_all.mat", {"refnames_all": names[None]})
    savemat(tmp_path / "dmos_realigned.mat", {"dmos_new": np.linspace(0, 100, 982)[None], "orgs": orgs})
    image = Image.fromarray(np.zeros((40, 50, 3), np.uint8))
    image.save(tmp_path / "refimgs" / "ref0.bmp")
    image.save(tmp_path / "jp2k" / "img1.bmp")
    return tmp_path


def test_official_live_layout(official):
    """779 pairs; folders in Release 2's order; unmodified references left out."""
    live = load_dataset("live", official)
    assert (live.name, len(live.pairs)) == ("live", 779)
    first, second_type = live.pairs[0], live.pairs[227]
    assert (first.id, first.reference, first.distortion, first.human) == ("jp2k/img1.bmp", "ref0", "jp2k", 0)
    assert (second_type.id, second_type.distortion) == ("jpeg/img1.bmp", "jpeg")
    assert live.images(first)[0].shape == (3, 40, 50)


@pytest.mark.parametrize("missing", ["refimgs", "gblur", "refnames_all.mat", "dmos_realigned.mat"])
def test_what_a_live_folder_lacks_is_named(official, missing):
    """Not "wrong dataset", but what is missing."""
    path = official / missing
    path.rename(official.parent / f"elsewhere-{missing}")
    with pytest.raises(DatasetLayoutError, match=missing.split(".")[0]):
        load_dataset("live", official)


def test_official_tid2013_layout(tmp_path):
    """Names in either case; MOS, type and level from the file."""
    for folder in ("distorted_images", "reference_images"):
        (tmp_path / folder).mkdir()
    image = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    image.save(tmp_path / "reference_images" / "I01.BMP")
    image.save(tmp_path / "distorted_images" / "i01_08_3.bmp")
    (tmp_path / "mos_with_names.txt").write_text("5.51429 I01_08_3.bmp\n")
    tid = load_dataset("tid2013", tmp_path)
    (pair,) = tid.pairs
    assert (pair.reference, pair.distortion, pair.level, pair.human) == ("I01", "type-08", 3, 5.51429)
    assert tid.images(pair)[1].shape == (3, 20, 30)


@pytest.mark.parametrize("name", ["../x.png", "/etc/passwd", "a/../../x.png", "a\0b"])
def test_paths_that_leave_the_folder_are_refused(tmp_path, name):
    """A dataset's table cannot point anywhere else."""
    with pytest.raises(DatasetLayoutError):
        inside(tmp_path, name)


@given(st.sets(st.text("abcdef", min_size=1, max_size=6), min_size=5, max_size=40), st.integers(0, 99))
def test_splits_are_disjoint_complete_and_independent_of_order(names, seed):
    """Every reference lands in exactly one part."""
    parts = split_by_reference(names, (60, 20, 21), seed)
    assert sorted(sum(parts, [])) == sorted(names)
    assert split_by_reference(sorted(names, reverse=True), (60, 20, 21), seed) == parts


def test_parts_that_share_a_reference_are_refused():
    """Both parts and the reference are named."""
    with pytest.raises(InvalidInput, match="'b' is in both train and test"):
        check_disjoint(train=["a", "b"], test=["b", "c"])


def test_transmission_errors_grow_with_their_share(photograph):
    """No share, no damage beyond rounding; more share, more damage."""
    rng = np.random.default_rng
    image = photograph / 255.0
    errors = [float(((transmission_errors(image, share, rng(0)) - image) ** 2).mean()) for share in (0, 0.1, 0.6)]
    assert errors[0] < 1e-20 < errors[1] < errors[2]
