"""Tables 3, 6 and 8: the right figures in the right columns, the best per model, ties, and the paper's beside them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from robustiqa.benchmarks.cell import CalibrationRecord, SourceRecord
from robustiqa.benchmarks.folder.store import Store
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.bapps import SCORE
from robustiqa.reports.formats import TABLE_FORMATS, write
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import paper_rows
from tests.reports.runs import Made, model, part

PAPER = LayoutOptions(with_paper=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models; birqa with two defenses, of which aat is moved far less, and at a little more than r."""
    out = tmp_path_factory.mktemp("table3")
    made = Made(out)
    made.add(model("birqa"), attacks=["fgsm", part("autoattack", "autoattack:quick")], move=2.0)
    made.add(model("birqa"), part("r"), attacks=["fgsm", part("autoattack", "autoattack:quick")], move=1.5)
    made.add(model("birqa"), part("aat"), attacks=["fgsm", part("autoattack", "autoattack:quick")], move=0.2)
    made.add(model("lpips-alex", lower_better=True), attacks=["fgsm"], move=1.0)
    return out


def lines_of(folder, name="table3", options=None):
    (table,) = make_tables(name, Run((folder,)), options or LayoutOptions())
    return table, {(line.cells["model"], line.cells["defense"]): line.cells for line in table.lines}


def test_table3_holds_attacked_srocc_and_ir_scores(folder):
    """SROCC of tomean by hand; IR-Scores only of defended models; n, threat and flags on every line."""
    table, lines = lines_of(folder)
    assert list(lines) == [("lpips-alex", "none"), ("birqa", "none"), ("birqa", "r"), ("birqa", "aat")]
    made = Made(folder / "unused")
    clean = Made(folder / "again").add(model("birqa"), attacks=[], move=0)
    moved = clean + np.where(made.human < made.human.mean(), 2.0, -2.0)
    base, aat = lines["birqa", "none"], lines["birqa", "aat"]
    assert base["srocc_clean"].value == pytest.approx(spearmanr(made.human, clean)[0])
    assert base["srocc_fgsm"].value == pytest.approx(spearmanr(made.human, moved)[0])
    assert base["srocc_fgsm"].lo < base["srocc_fgsm"].value < base["srocc_fgsm"].hi
    assert base["ir_fgsm"] is None
    assert aat["ir_fgsm"].value > 0.1
    assert (base["threat"], aat["threat"], base["n"]) == ("undefended", "adaptive", "88")
    assert [column.heading for column in table.columns][4:7] == ["SROCC clean ↑", "SROCC FGSM ↑", "SROCC AutoAttack ↑"]
    assert "AutoAttack is autoattack:quick" in table.notes[1]
    assert "tomean" in " ".join(table.notes)


def test_the_best_of_each_model_is_marked_and_no_other_model_is_in_the_way(folder):
    """aat is the best of birqa in both scores; lpips-alex has no rival and no mark."""
    _, lines = lines_of(folder)
    assert lines["birqa", "aat"]["srocc_fgsm"].best
    assert not lines["birqa", "r"]["srocc_fgsm"].tied
    assert lines["birqa", "aat"]["ir_fgsm"].best
    assert not lines["birqa", "r"]["ir_fgsm"].best
    assert not lines["lpips-alex", "none"]["srocc_fgsm"].best


def test_what_cannot_be_separated_is_tied(tmp_path):
    """Two defenses that do the same share the mark; below 20 references everything is tied and flagged."""
    for references, name in ((22, "many"), (8, "few")):
        made = Made(tmp_path / name, references=references)
        for defense, move in (("r", 1.0), ("at", 1.0), ("aat", 0.0)):
            made.add(model("birqa"), part(defense), attacks=["fgsm"], move=move, eps=(8 / 255,))
    _, lines = lines_of(tmp_path / "many")
    clean = [lines["birqa", defense]["srocc_clean"] for defense in ("r", "at", "aat")]
    assert sum(number.best for number in clean) == 1
    assert sum(number.tied for number in clean) == 2
    assert not lines["birqa", "r"]["srocc_fgsm"].tied
    _, lines = lines_of(tmp_path / "few")
    assert lines["birqa", "r"]["srocc_fgsm"].tied
    assert "few-clusters" in lines["birqa", "r"]["flags"]


def test_the_papers_figures_stand_in_columns_of_their_own(folder):
    """As printed, on the lines of the same model and defense; its other lines are there with dashes for ours."""
    table, lines = lines_of(folder, options=PAPER)
    printed = {(row["model"], row["defense"]): row for row in paper_rows("table3_robustness_kadid")}
    assert lines["birqa", "aat"]["srocc_fgsm_paper"].value == float(printed["BiRQA", "AAT"]["srocc_fgsm"])
    assert lines["birqa", "none"].get("ir_fgsm_paper") is None
    assert lines["lpips-alex", "none"]["srocc_cw_paper"].value == float(printed["LPIPS", "base"]["srocc_cw"])
    assert lines["TOPIQ", "AT"]["ir_facpa_paper"].value == float(printed["TOPIQ", "AT"]["ir_facpa"])
    assert lines["TOPIQ", "AT"].get("srocc_fgsm") is None
    assert len(table.lines) == len(printed)
    ours, _ = lines_of(folder)
    plain = [line for line in table.lines if line.cells["model"] in ("birqa", "lpips-alex")]
    for line, other in zip(plain, ours.lines, strict=True):
        assert all(line.cells[key] == content for key, content in other.cells.items())
    assert [column.key for column in table.columns if column.paper][-1] == "train_min_paper"
    assert lines["birqa", "aat"]["train_min_paper"].value == 267
    assert "KADID-10k" in table.notes[-1]


def test_tables_are_the_same_bytes_every_time(folder):
    """Read again from disk, in every format."""
    first, second = (make_tables("table3", Run((folder,)), PAPER) for _ in range(2))
    for form in TABLE_FORMATS:
        assert write(first, form) == write(second, form)


def test_another_radius_or_none_is_refused_by_name(folder, tmp_path):
    """The message says which ε there are."""
    with pytest.raises(InvalidInput, match="12/255.*2/255, 4/255, 8/255, 10/255"):
        make_tables("table3", Run((folder,)), LayoutOptions(eps=12 / 255))
    with pytest.raises(InvalidInput, match="holds no results"):
        make_tables("table3", Run((tmp_path,)), LayoutOptions())
    with pytest.raises(InvalidInput, match=r"tabel3.*table3"):
        make_tables("tabel3", Run((folder,)), LayoutOptions())


def bapps(folder, margin):
    """44 choices: p1 preferred in the first half, p0 in the second but for two ties; the model agrees by ``margin``."""
    shares = np.array([[0.2, 0.8]] * 22 + [[0.9, 0.1]] * 20 + [[0.5, 0.5]] * 2).ravel()
    made = Made(folder, name="bapps-val", references=44, each=2, human_score=SCORE, human=shares)
    quality = np.where(shares > 0.5, margin, 0.0)
    made.human = quality
    made.add(model("birqa"), noise=0.0, attacks=["fgsm", "square"], move=0.3, eps=(8 / 255,))
    return made, shares


def test_table6_is_the_accuracy_on_choices_with_the_preferred_image_lowered(tmp_path):
    """All right when clean; at 8/255 the preferred image falls by 0.3, below or above the margin of the other."""
    for name, margin, expected in (("far", 0.4, 1.0), ("near", 0.2, 0.0), ("tie", 0.3, 0.5)):
        rewrite(tmp_path / name, margin)
        table, lines = lines_of(tmp_path / name, "table6")
        cells = lines["birqa", "none"]
        assert cells["clean"].value == 1
        assert cells["fgsm"].value == pytest.approx(expected)
        assert cells["n"] == "42"
        assert "preferred, downwards" in table.notes[2]


def rewrite(folder, margin):
    """The cells of ``bapps`` with the shares as human scores and comparisons, and a model that sees the margin."""
    _, shares = bapps(folder / "raw", margin)
    store = Store(folder)
    for cell in Store(folder / "raw").cells():
        rows = cell.samples
        if cell.spec.purpose != "calibration":
            rows = [row.model_copy(update={"quality": float(share)}) for row, share in zip(rows, shares, strict=True)]
            rivals = [((second.id, second.quality),) for second in rows[1::2]]
            rows[::2] = [row.model_copy(update={"rivals": own}) for row, own in zip(rows[::2], rivals, strict=True)]
        store.finish(cell.spec, rows, {})


def test_table6_derives_choices_from_scores_where_nobody_chose(folder):
    """Within a reference, four images make six choices; the note says that they are derived."""
    table, lines = lines_of(folder, "table6")
    assert lines["birqa", "none"]["n"] == str(22 * 6)
    assert "derived" in table.notes[0]
    assert lines["birqa", "aat"]["fgsm"].value > lines["birqa", "none"]["fgsm"].value


def test_table6_and_8_have_the_papers_figures(folder):
    """Table 8 leaves out the other training defenses and has the paper's purifiers."""
    _, lines = lines_of(folder, "table6", PAPER)
    assert lines["birqa", "aat"]["fgsm_paper"].value == 0.594
    assert lines["birqa", "aat"]["parsimonious_paper"].value == 0.703
    _, lines = lines_of(folder, "table8", PAPER)
    assert ("birqa", "r") not in lines
    assert lines["BiRQA", "diffpure"]["square_paper"].value == 0.712
    assert lines["birqa", "none"]["zhang_paper"].value == 0.462


def test_variants_that_are_called_the_same_are_numbered(tmp_path):
    """The same model on whole images and on crops: two lines, told apart, and compared with each other."""
    made = Made(tmp_path)
    made.add(model("birqa"), attacks=["fgsm"], eps=(8 / 255,))
    made.add(model("birqa"), attacks=["fgsm"], eps=(8 / 255,), move=0.1, crop=64)
    _, lines = lines_of(tmp_path)
    assert sorted(name for name, _ in lines) == ["birqa", "birqa (2)"]
    assert sum("crop-64" in line["flags"] for line in lines.values()) == 1
    assert sum(line["srocc_fgsm"].best for line in lines.values()) == 1


def test_carried_images_and_equal_visibility_stand_apart(tmp_path):
    """Carried ones behind the model's own lines, by their source, compared among themselves; calibrated ones in a table of
    their own at any --eps, without the paper's figures.
    """
    made = Made(tmp_path)
    made.add(model("birqa"), attacks=["fgsm"], eps=(8 / 255,), move=2.0)
    store = Store(tmp_path)
    for cell in store.cells():
        if cell.spec.purpose == "attack":
            source = SourceRecord(model=model("ssim"), defense=None, threat="white-box", randomised=False, eot=1)
            sight = CalibrationRecord(metric="ssim", target=0.95, weights="")
            store.finish(cell.spec.model_copy(update={"source": source, "threat": "transfer"}), mild(cell.samples), {})
            store.finish(cell.spec.model_copy(update={"calibrate": sight, "eps": 64 / 255}), mild(cell.samples), {})
    equal_eps, equal_sight = make_tables("table3", Run((tmp_path,)), PAPER)
    own = [line for line in equal_eps.lines if line.cells["model"] == "birqa"]
    assert [line.cells["threat"] for line in own] == ["undefended", "transfer from ssim"]
    assert not any(line.cells["srocc_fgsm"].best for line in own)
    assert [line.cells.get("srocc_fgsm_paper") is None for line in own] == [False, True]
    assert len({line.group for line in own}) == 2
    (line,) = equal_sight.lines
    assert "at ssim=0.95" in equal_sight.title
    assert "64/255 at most" in equal_sight.notes[1]
    assert not any(column.paper for column in equal_sight.columns)
    assert line.cells["srocc_fgsm"].value > own[0].cells["srocc_fgsm"].value
    assert len(make_tables("table6", Run((tmp_path,)), LayoutOptions())) == 2


def mild(samples):
    """The samples moved by half as much."""
    return [row.model_copy(update={"attacked": (row.clean + row.attacked) / 2}) for row in samples]
