"""Published folder layouts under fault: scores of the wrong size, missing files, tables that point elsewhere."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from robustiqa.core.errors import DatasetLayoutError, InvalidInput, UnreadableImage
from robustiqa.datasets import load_dataset
from robustiqa.datasets.files import inside
from robustiqa.statistics import srocc

COUNTS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}


def save(path, height=20, width=30):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 99, np.uint8)).save(path)


def live_folder(root, entries=982, scores="dmos_realigned.mat", key="dmos_new"):
    for name in ("refimgs", *COUNTS):
        (root / name).mkdir()
    names = np.array([[f"ref{i % 29}.bmp" for i in range(entries)]], dtype=object)
    orgs = np.zeros((1, entries), dtype=np.uint8)
    orgs[0, -203:] = 1
    savemat(root / "refnames_all.mat", {"refnames_all": names})
    savemat(root / scores, {key: np.arange(entries, dtype=float)[None], "orgs": orgs})
    return root


def live_table(root, reference, distorted):
    (root / "refimgs").mkdir(exist_ok=True)
    (root / "scores.csv").write_text(f"reference,distorted,distortion,dmos\n{reference},{distorted},wn,50\n")
    return load_dataset("live", root)


def test_scores_follow_their_images_over_the_borders_of_folders(tmp_path):
    """The i-th of 982 scores belongs to the i-th image through jp2k, jpeg, wn, gblur, fastfading."""
    pairs = load_dataset("live", live_folder(tmp_path)).pairs
    start = 0
    for folder, count in COUNTS.items():
        in_folder = {pair.id: pair for pair in pairs if pair.distortion == folder}
        for number in (1, count) if start + count <= 779 else (1,):
            if start + number <= 779:
                pair = in_folder[f"{folder}/img{number}.bmp"]
                assert (pair.human, pair.reference) == (start + number - 1, f"ref{(start + number - 1) % 29}")
        start += count


def test_unaligned_scores_serve_where_there_are_no_realigned_ones(tmp_path):
    """Release 2's first score file; the realigned one goes before it."""
    root = live_folder(tmp_path, scores="dmos.mat", key="dmos")
    assert load_dataset("live", root).pairs[5].human == 5
    savemat(root / "dmos_realigned.mat", {"dmos_new": np.full((1, 982), 7.0), "orgs": np.zeros((1, 982))})
    assert load_dataset("live", root).pairs[5].human == 7


def test_a_live_release_of_another_size_is_refused_with_both_sizes(tmp_path):
    """Release 1's tables would put scores on wrong images."""
    with pytest.raises(DatasetLayoutError, match="460 reference names.*982"):
        load_dataset("live", live_folder(tmp_path, entries=460))


def test_a_score_file_without_its_variable_is_named(tmp_path):
    """A .mat file of that name with other content."""
    with pytest.raises(DatasetLayoutError, match=r"dmos_realigned\.mat has no dmos_new"):
        load_dataset("live", live_folder(tmp_path, key="mos"))


def test_a_live_score_that_is_no_number_is_refused_with_its_image(tmp_path):
    """MATLAB writes NaN for what it has not got; the references' scores are not looked at."""
    root = live_folder(tmp_path)
    scores = loadmat(root / "dmos_realigned.mat")
    scores["dmos_new"][0, [4, 900]] = np.nan
    savemat(root / "dmos_realigned.mat", {name: scores[name] for name in ("dmos_new", "orgs")})
    with pytest.raises(DatasetLayoutError, match=r"jp2k/img5\.bmp.*not finite"):
        load_dataset("live", root)


@pytest.mark.parametrize("name", ["live", "tid2013"])
def test_a_dataset_without_a_folder_says_how_to_give_one(name, tmp_path):
    """No path, or one that is not there."""
    with pytest.raises(DatasetLayoutError, match=f"{name}=/path"):
        load_dataset(name)
    with pytest.raises(DatasetLayoutError, match="is not a folder"):
        load_dataset(name, tmp_path / "nowhere")


def test_a_table_without_a_column_names_it(tmp_path):
    """And shows the columns that are there."""
    (tmp_path / "refimgs").mkdir()
    (tmp_path / "scores.csv").write_text("reference,distorted,dmos\n")
    with pytest.raises(DatasetLayoutError, match="no column distortion.*dmos"):
        load_dataset("live", tmp_path)


@pytest.mark.parametrize("name", ["../secret.png", "refimgs/../../secret.png", "a\0b.png"])
def test_a_table_that_points_out_of_its_folder_reads_nothing(tmp_path, name):
    """The file exists and is a good image, and still is not read."""
    save(tmp_path / "secret.png")
    save(tmp_path / "live" / "refimgs" / "a.png")
    live = live_table(tmp_path / "live", "refimgs/a.png", name)
    with pytest.raises(DatasetLayoutError, match="leads out"):
        live.images(live.pairs[0])


def test_links_within_a_folder_are_followed_and_those_out_of_it_are_not(tmp_path):
    """A link is judged by where it leads."""
    save(tmp_path / "outside" / "a.png")
    save(tmp_path / "root" / "a.png")
    (tmp_path / "root" / "near.png").symlink_to("a.png")
    (tmp_path / "root" / "far").symlink_to(tmp_path / "outside")
    assert inside(tmp_path / "root", "near.png") == (tmp_path / "root" / "a.png").resolve()
    with pytest.raises(DatasetLayoutError, match="leads out"):
        inside(tmp_path / "root", "far/a.png")


def test_a_folder_whose_name_only_begins_like_the_root_is_outside(tmp_path):
    """live-private is not in live."""
    (tmp_path / "live").mkdir()
    with pytest.raises(DatasetLayoutError, match="leads out"):
        inside(tmp_path / "live", "../live-private/a.png")


def test_missing_and_unequal_images_are_named_when_they_are_read(tmp_path):
    """A pair that cannot be compared says which it is."""
    save(tmp_path / "refimgs" / "a.png")
    live = live_table(tmp_path, "refimgs/a.png", "wn/img1.png")
    with pytest.raises(UnreadableImage, match=r"img1\.png"):
        live.images(live.pairs[0])
    save(tmp_path / "wn" / "img1.png", height=21)
    with pytest.raises(InvalidInput, match=r"wn/img1\.png"):
        live.images(live.pairs[0])


@pytest.mark.parametrize("missing", ["reference_images", "distorted_images", "mos_with_names.txt"])
def test_what_a_tid2013_folder_lacks_is_named(tmp_path, missing):
    """One entry short of the published layout."""
    for name in {"reference_images", "distorted_images"} - {missing}:
        (tmp_path / name).mkdir()
    if missing != "mos_with_names.txt":
        (tmp_path / "mos_with_names.txt").write_text("")
    with pytest.raises(DatasetLayoutError, match=f"has no {missing}"):
        load_dataset("tid2013", tmp_path)


@pytest.mark.parametrize(
    ("there", "lacking"), [("distorted_images/i01_08_3.bmp", "I01"), ("reference_images/I01.BMP", "i01_08_3")]
)
def test_tid2013_images_that_the_scores_name_must_exist(tmp_path, there, lacking):
    """A half copied dataset is refused by the name of what is missing, not by a KeyError."""
    for folder in ("distorted_images", "reference_images"):
        (tmp_path / folder).mkdir()
    save(tmp_path / there)
    (tmp_path / "mos_with_names.txt").write_text("5.51429 i01_08_3.bmp\n")
    with pytest.raises(DatasetLayoutError, match=lacking):
        load_dataset("tid2013", tmp_path)


def test_tid2013_subset_layout(tmp_path):
    """References, images and scores.csv: MOS with higher better, type and level as numbers."""
    save(tmp_path / "references" / "I01.png")
    save(tmp_path / "images" / "i01_08_1.png")
    (tmp_path / "scores.csv").write_text(
        "reference,distorted,type,level,mos\nreferences/I01.png,i01_08_1.png,8,1,5.2\n"
    )
    tid = load_dataset("tid2013", tmp_path)
    (pair,) = tid.pairs
    assert (tid.name, tid.higher_better) == ("tid2013-subset", True)
    assert (pair.id, pair.reference, pair.distortion, pair.level) == ("i01_08_1.png", "I01", "type-08", 1)
    assert tid.images(pair)[0].shape == (3, 20, 30)
    assert tid.quality().tolist() == [5.2]


def test_dmos_is_turned_so_that_higher_is_better(shared):
    """On the genuine subset PSNR, measured by others, rises with quality()."""
    root = shared / "data" / "live_r2_subset"
    with (root / "scores.csv").open() as file:
        psnr = {row["distorted"]: float(row["psnr_rgb"]) for row in csv.DictReader(file)}
    live = load_dataset("live", root)
    assert srocc(live.quality(), [psnr[pair.id] for pair in live.pairs]) > 0.9
