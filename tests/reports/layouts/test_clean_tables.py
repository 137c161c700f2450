"""Tables 1, 2, 5 and 7: correlations and pairwise differences of clean scores."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import paper_rows
from tests.reports.runs import Made, model, part

PAPER = LayoutOptions(with_paper=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three models on PIPAL and LIVE, one of them defended; birqa was trained on KADID-10k's labels."""
    out = tmp_path_factory.mktemp("clean")
    for name in ("pipal", "live"):
        made = Made(out, name=name, references=30)
        made.add(model("ssim"), noise=3.0)
        made.add(model("dists", lower_better=True), noise=0.5)
        made.add(model("birqa", trained_on=("kadid10k",)), noise=0.5)
        made.add(model("birqa", trained_on=("kadid10k",)), part("aat"), noise=0.6)
    return out


def table_of(folder, name, options=None):
    tables = make_tables(name, Run((folder,)), options or LayoutOptions())
    return tables[-1], {line.cells["model"]: line.cells for line in tables[-1].lines}


def test_table5_has_plcc_and_srocc_of_every_dataset(folder):
    """By the paper's name of the dataset, best per column, ties, sizes."""
    table, lines = table_of(folder, "table5")
    assert list(lines) == ["ssim", "dists", "birqa", "birqa + aat"]
    assert [column.key for column in table.columns][1:5] == ["LIVE plcc", "LIVE srocc", "PIPAL plcc", "PIPAL srocc"]
    made = Made(folder / "unused", references=30)
    clean = Made(folder / "again", references=30).add(model("birqa", trained_on=("kadid10k",)), noise=0.5)
    assert lines["birqa"]["PIPAL srocc"].value == pytest.approx(spearmanr(made.human, clean)[0])
    column = [line["PIPAL srocc"] for line in lines.values()]
    assert sum(number.best for number in column) == 1
    assert not lines["ssim"]["PIPAL srocc"].tied
    assert "live 120, pipal 120" in " ".join(table.notes)


def test_table5_has_methods_that_only_the_paper_has(folder):
    """DeepQA and JND-SalCAR stand in the paper's columns alone, and its dashes stay dashes."""
    table, lines = table_of(folder, "table5", PAPER)
    assert lines["DeepQA"]["LIVE plcc_paper"].value == 0.982
    assert lines["DeepQA"]["PIPAL srocc_paper"] is None
    assert lines["JND-SalCAR"].get("LIVE plcc") is None
    assert lines["birqa"]["PIPAL plcc_paper"].value == 0.837
    assert lines["birqa + aat"]["PIPAL plcc_paper"].value == 0.831
    assert len(table.lines) == len({row["method"] for row in paper_rows("table5_fr_benchmarks")})


def test_table2_says_what_a_model_was_trained_on(folder):
    """The paper's figure stands where both were trained on the same; its others have lines of their own."""
    table, lines = table_of(folder, "table2", PAPER)
    ours = next(line.cells for line in table.lines if line.cells["model"] == "birqa")
    assert ours["trained"] == "KADID-10k"
    assert ours["LIVE srocc_paper"].value == 0.977
    pipal = next(line.cells for line in table.lines if (line.cells["model"], line.cells["trained"]) == ("BiRQA", "PIPAL"))
    assert pipal["LIVE srocc_paper"].value == 0.933
    assert pipal.get("LIVE srocc") is None
    assert lines["ssim"]["trained"] == "no human scores declared"


def test_table2_leaves_out_the_dataset_that_a_model_was_trained_on(tmp_path):
    """It is not another dataset."""
    made = Made(tmp_path, name="live")
    made.add(model("birqa", trained_on=("live",)))
    made.add(model("ssim"))
    _, lines = table_of(tmp_path, "table2")
    assert list(lines) == ["ssim"]


def test_table7_is_the_lower_triangle_with_marks_and_ties(folder):
    """Medians with half widths; what differs plainly is marked twice, near equals share a letter."""
    table, lines = table_of(folder, "table7")
    assert table.title == "Table 7, on pipal: differences of SROCC, row minus column"
    difference = lines["birqa"]["minus ssim"]
    assert difference.half
    assert difference.value == pytest.approx(lines["birqa"]["srocc"].value - lines["ssim"]["srocc"].value, abs=0.05)
    assert difference.mark == "*†"
    assert lines["ssim"].get("minus birqa") is None
    assert lines["dists"].get("minus birqa") is None
    assert lines["ssim"]["ties"] == "b"
    assert {"a"} <= set(lines["birqa"]["ties"])


def test_table7_marks_by_cluster_or_by_image(folder):
    """The i.i.d. option is the paper's, and says so."""
    clustered, _ = table_of(folder, "table7")
    iid, _ = table_of(folder, "table7", LayoutOptions(mode="iid"))
    assert clustered.lines != iid.lines
    assert "i.i.d." in " ".join(iid.notes)


def test_table7_has_the_papers_differences_in_either_order(folder):
    """Theirs are the same pairs, the other way round where our order differs, with their half widths."""
    _, lines = table_of(folder, "table7", PAPER)
    assert lines["birqa"]["minus ssim, paper"].value == 0.463
    assert lines["birqa + aat"]["minus birqa, paper"].value == -0.007
    assert lines["birqa"]["minus dists, paper"].hi == pytest.approx(0.168 + 0.004)


def test_table7_counts_images_that_some_model_could_not_score(tmp_path):
    """They are left out for all, and a constant model has a dash and a flag."""
    made = Made(tmp_path, references=25)
    made.add(model("ssim"))
    made.add(model("vif"), noise=1.0)
    store = made.store
    cell = next(c for c in store.cells() if c.spec.model.name == "vif" and c.spec.purpose == "clean")
    broken = [row.model_copy(update={"status": "non-finite", "clean": None}) if i < 3 else row for i, row in enumerate(cell.samples)]
    store.finish(cell.spec, broken, {})
    constant = [row.model_copy(update={"clean": 1.0}) for row in cell.samples]
    store.finish(cell.spec.model_copy(update={"model": model("psnr")}), constant, {})
    table, lines = table_of(tmp_path, "table7")
    assert lines["ssim"]["n"] == 97
    assert "3 without a finite score" in table.notes[0]
    assert np.isnan(lines["psnr"]["srocc"].value)
    assert "undefined" in lines["psnr"]["flags"]
    assert lines["psnr"]["ties"] is None


def test_table7_needs_two_models(tmp_path):
    """One model has nothing to be compared with."""
    Made(tmp_path).add(model("ssim"))
    with pytest.raises(InvalidInput, match="two or more models"):
        table_of(tmp_path, "table7")


def test_correlations_need_whole_images(tmp_path):
    """A run of cropped attacks without their clean cells has no score of the image that people judged."""
    made = Made(tmp_path)
    made.add(model("ssim"), attacks=["fgsm"], crop=64, eps=(8 / 255,))
    for cell in made.store.cells():
        if cell.spec.purpose == "clean":
            (tmp_path / "cells" / f"{cell.spec.key}.json").unlink()
    with pytest.raises(InvalidInput, match="robustiqa evaluate"):
        table_of(tmp_path, "table5")


def test_table1_counts_and_measures(folder):
    """Pairs of the whole dataset, references and sizes of what was scored, the paper's beside them."""
    (table,) = make_tables("table1", Run((folder,)), PAPER)
    lines = {line.cells["dataset"]: line.cells for line in table.lines}
    assert (lines["PIPAL"]["references"], lines["PIPAL"]["distorted"], lines["PIPAL"]["resolution"]) == (30, 120, "512×384")
    assert (lines["PIPAL"]["references_paper"], lines["PIPAL"]["ratings_paper"]) == ("250", "1.13M")
    assert lines["KADID-10k"].get("distorted") is None
    assert lines["KADID-10k"]["distorted_paper"] == "10125"
