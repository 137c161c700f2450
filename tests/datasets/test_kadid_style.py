"""KADID-style pairs of any folder of photographs: their order, their cache and what is refused."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from robustiqa.core.errors import DatasetLayoutError, InvalidInput, UnknownName, UnreadableImage
from robustiqa.core.images import to_tensor
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import references
from robustiqa.datasets.distortions import TYPES, distort, distortion
from robustiqa.datasets.expected_scores import expected_score, published_means
from robustiqa.datasets.synthetic import kadid_style, photographs
from robustiqa.models.birqa.entry import TRAINABLE
from robustiqa.models.birqa.model import Settings
from robustiqa.training.recipe import load_recipe
from robustiqa.training.run import Run

RANDOM = ("white-noise", "impulse-noise", "multiplicative-noise", "jitter", "color-block")


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def save(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed)).save(path)


@given(st.integers(1, 12))
@settings(max_examples=12)
def test_all_rounds_hold_every_combination_once_and_any_beginning_is_balanced(count):
    """Whatever the number of references: 125 combinations each, five rounds hold every level once per reference."""
    names = [f"r{i}" for i in range(count)]
    pairs = kadid_style("x", dict.fromkeys(names, lambda: pixels(0))).pairs
    assert Counter((p.reference, p.distortion, p.level) for p in pairs) == Counter(
        (name, kind, level) for name in names for kind in TYPES for level in range(1, 6)
    )
    for name in names:
        assert sorted(p.level for p in pairs[: 5 * count] if p.reference == name) == [1, 2, 3, 4, 5]
    if count >= 5:
        assert {p.distortion for p in pairs[: 5 * count]} == set(TYPES)


def test_expected_score_is_the_published_mean_at_a_level_and_the_pairs_carry_it():
    """At whole levels nothing is added to the 125 published means."""
    for pair in load_dataset("demo").pairs[:125]:
        code, level = TYPES.index(pair.distortion) + 1, int(pair.level)
        assert pair.human == expected_score(code, level) == published_means()[code - 1, level - 1]


def test_half_levels_lie_halfway_and_pristine_lies_above_the_first():
    """Linear between levels; level 0 is at least as good as level 1 for every type."""
    for code in range(1, 26):
        low, high = expected_score(code, 4), expected_score(code, 5)
        assert expected_score(code, 4.5) == pytest.approx((low + high) / 2)
        assert expected_score(code, 0) >= expected_score(code, 1)


@pytest.mark.parametrize("kind", RANDOM)
def test_random_types_draw_by_name_and_level(kind):
    """Two images with equal pixels but other names get other noise, so that errors do not repeat over a dataset."""
    code, image = TYPES.index(kind) + 1, np.full((64, 64, 3), 128, np.uint8)
    image[::2, ::3] = 90
    assert not np.array_equal(distort(image, code, 3, "a"), distort(image, code, 3, "b"))


@pytest.mark.parametrize("code", [0, 26, -1])
def test_codes_beyond_the_table_are_refused(code):
    """0 and negative codes do not wrap round to the last types."""
    with pytest.raises(InvalidInput, match=r"1\.\.25"):
        distortion(code)


def test_a_folder_is_read_with_its_subfolders_and_its_images_are_distorted_as_the_pair_says(tmp_path):
    """Reference ids are stems; the pixels are those of the named type and level, first made, then from the cache."""
    save(tmp_path / "a.png", 1)
    save(tmp_path / "deep" / "b.BMP", 2)
    (tmp_path / "notes.txt").write_text("no image")
    dataset = load_dataset("kadid-style", tmp_path)
    assert references(dataset.pairs) == ("a", "b")
    for pair in dataset.pairs[:6]:
        pristine = pixels(1 if pair.reference == "a" else 2)
        wanted = distort(pristine, TYPES.index(pair.distortion) + 1, pair.level, pair.reference)
        for _ in ("made", "cached"):
            ref, dist = dataset.images(pair)
            assert ref.equal(to_tensor(pristine))
            assert dist.equal(to_tensor(wanted))


def test_other_photographs_of_the_same_names_do_not_get_the_first_ones_cached_images(tmp_path):
    """Two folders that both hold 1.png are two datasets."""
    save(tmp_path / "one" / "1.png", 1)
    save(tmp_path / "two" / "1.png", 2)
    first, second = (load_dataset("kadid-style", tmp_path / name) for name in ("one", "two"))
    assert not first.images(first.pairs[0])[1].equal(second.images(second.pairs[0])[1])


def test_folders_without_usable_photographs_are_refused(tmp_path):
    """No folder, no image, two of one stem: each message says which."""
    with pytest.raises(DatasetLayoutError, match="not a folder"):
        load_dataset("kadid-style", tmp_path / "nowhere")
    with pytest.raises(DatasetLayoutError, match="no PNG"):
        load_dataset("kadid-style", tmp_path)
    save(tmp_path / "a.png", 1)
    save(tmp_path / "deep" / "a.png", 2)
    with pytest.raises(DatasetLayoutError, match="share a name"):
        load_dataset("kadid-style", tmp_path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    """Nothing outside is read; a link within the folder is a photograph of its own name."""
    folder = tmp_path / "photographs"
    save(folder / "a.png", 1)
    (folder / "b.png").symlink_to(folder / "a.png")
    assert sorted(photographs(folder)) == ["a", "b"]
    save(tmp_path / "secret.png", 2)
    (folder / "c.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DatasetLayoutError, match=r"c\.png.*leads out"):
        load_dataset("kadid-style", folder)


def test_parts_are_those_of_a_training(tmp_path):
    """Disjoint, together all, and the very photographs that every recipe without a split of its own trains on."""
    for seed in range(12):
        save(tmp_path / f"p{seed}.png", seed)
    run = Run(TRAINABLE, Settings(), load_recipe("aat"), tuple(photographs(tmp_path).values()), tmp_path / "x.safetensors")
    for part, trained in (("train", "train"), ("val", "validation"), ("test", "test")):
        loaded = load_dataset(f"kadid-style:part={part}", tmp_path)
        assert set(references(loaded.pairs)) == {path.stem for path in run.split()[trained]}
        assert len(loaded.images(loaded.pairs[0])) == 2
    with pytest.raises(InvalidInput, match="all, train, val, test"):
        load_dataset("kadid-style:part=half", tmp_path)


def test_a_broken_photograph_is_named_when_it_is_read(tmp_path):
    """Half a file is not silently a dark image."""
    save(tmp_path / "a.png", 1)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    dataset = load_dataset("kadid-style", tmp_path)
    with pytest.raises(UnreadableImage, match=r"a\.png"):
        dataset.images(dataset.pairs[0])


def test_dataset_names_and_demo_paths_are_checked(tmp_path):
    """A slip of the pen gets the nearest name; demo, which needs no folder, takes none."""
    with pytest.raises(UnknownName, match="'demo'"):
        load_dataset("dem0")
    with pytest.raises(InvalidInput, match="takes no path"):
        load_dataset("demo", tmp_path)


def test_manifest_tells_other_pairs_scores_and_limits():
    """The hash in reports changes with what was scored, and only then."""
    demo = load_dataset("demo")
    assert demo.manifest() == load_dataset("demo").manifest()
    assert len({demo.limited(n).manifest() for n in (None, 35, 34)}) == 3
