"""IR-Scores of a run: the right baseline, all radii, maps of each model's own calibration."""

import csv
import io
import math

import numpy as np
import pytest

from robustiqa.core.errors import UnknownName
from robustiqa.reports.ir import DomainChoice
from robustiqa.reports.results import load_results
from robustiqa.statistics import fit_map
from tests.reports.runs import Made, model, part


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("ir")
    made = Made(out)
    made.add(model("birqa"), attacks=["fgsm"], move=1.0)
    made.add(model("birqa"), part("aat"), attacks=["fgsm"], move=0.25)
    made.add(model("dists", lower_better=True), part("jpeg"), attacks=["fgsm"], move=0.25)
    return out


def results_of(folder, **options):
    rows = load_results(folder).rows(("up", "tomean"), DomainChoice(**options))
    return {(row.view.spec.model.name, row.view.spec.defense is not None, row.view.spec.attack.name, row.view.direction,
             round(row.view.spec.eps * 255)): row for row in rows}  # fmt: skip


def test_a_defended_row_has_the_score_over_all_radii(folder):
    """By hand, in the min-max domain: each model's own calibration range is its unit."""
    rows = results_of(folder, domain="minmax")
    found = rows["birqa", True, "fgsm", "up", 8].ir
    g = []
    for defended in (False, True):
        row = rows["birqa", defended, "fgsm", "up", 8]
        width = np.ptp([r.clean for r in row.view.calibration])
        g.append((0.25 if defended else 1.0) * np.mean([2, 4, 8, 10]) / 8 / width)
    assert found.g_base.value == pytest.approx(g[0])
    assert found.g_defended.value == pytest.approx(g[1])
    assert found.score.value == pytest.approx(g[0] - g[1])
    assert found.ratio.value == pytest.approx(1 - g[1] / g[0])
    assert [round(eps * 255) for eps in found.base.eps] == [2, 4, 8, 10]
    assert rows["birqa", True, "fgsm", "up", 2].ir is found
    assert rows["birqa", True, "fgsm", "tomean", 8].ir is not found
    assert found.flags == ()


def test_maps_are_fitted_on_the_calibration_scores_and_their_human_scores(folder):
    """The default domain, by hand."""
    rows = results_of(folder)
    found = rows["birqa", True, "fgsm", "up", 8]
    calibration = found.view.calibration
    to_human = fit_map([r.clean for r in calibration], [r.quality for r in calibration])
    moves = [to_human([r.attacked])[0] - to_human([r.clean])[0] for r in rows["birqa", True, "fgsm", "up", 4].view.rows]
    assert found.ir.defended.curve[1][1] == pytest.approx(np.mean(moves))
    assert found.ir.kinds == ("ot", "ot")


def test_no_baseline_no_score(folder):
    """An undefended row, and a defended one whose model was not attacked undefended, have none."""
    rows = results_of(folder, domain="minmax")
    assert rows["birqa", False, "fgsm", "up", 8].ir is None
    assert rows["dists", True, "fgsm", "up", 8].ir is None


def test_targets_may_be_uniform_or_another_model(folder):
    """A model of the run by name; others are refused, with those that there are."""
    scores = {target: results_of(folder, target=target)["birqa", True, "fgsm", "up", 8].ir.score.value
              for target in ("human", "uniform", "birqa")}  # fmt: skip
    assert len(set(scores.values())) == 3
    assert all(value > 0 for value in scores.values())
    with pytest.raises(UnknownName, match="'vif'.*birqa.*human"):
        results_of(folder, target="vif")


def test_fewer_radii_and_affine_maps_are_flagged(tmp_path):
    """Only two of the paper's radii, and too few calibration scores for quantiles."""
    made = Made(tmp_path)
    for defense, move in ((None, 1.0), (part("aat"), 0.5)):
        made.add(model("birqa"), defense, attacks=["fgsm"], move=move, eps=(4 / 255, 8 / 255))
    store = made.store
    for cell in store.cells():
        if cell.spec.purpose == "calibration":
            store.finish(cell.spec, cell.samples[:40], {})
    row = results_of(tmp_path)["birqa", True, "fgsm", "up", 8]
    assert {"ir-partial-eps", "ir-affine-map"} <= set(row.flags)
    assert row.ir.kinds == ("affine", "affine")


def test_a_sample_that_failed_anywhere_is_in_no_mean(tmp_path):
    """Baseline and defended model are compared on the samples that both were attacked on at every radius."""
    made = Made(tmp_path)
    for defense in (None, part("aat")):
        made.add(model("birqa"), defense, attacks=["fgsm"], eps=(4 / 255, 8 / 255))
    cell = next(c for c in made.store.cells() if c.spec.defense and c.spec.direction == "up" and c.spec.eps < 5 / 255)
    rows = [row.model_copy(update={"status": "non-finite", "attacked": None}) if i < 5 else row for i, row in enumerate(cell.samples)]
    made.store.finish(cell.spec, rows, {})
    row = results_of(tmp_path, domain="minmax")["birqa", True, "fgsm", "up", 8]
    assert len(row.ir.references) == row.n - 5


def test_the_report_shows_scores_and_the_frame_has_numbers(folder):
    """A column in Markdown with its note, and in CSV and the data frame everything that the score is made of."""
    results = load_results(folder)
    text = results.report("md")
    assert "IR-Score ↑" in text
    assert "2/255, 4/255, 8/255, 10/255" in text
    record = next(r for r in csv.DictReader(io.StringIO(results.report("csv"))) if r["defense"] == "aat" and r["direction"] == "up")
    score, base, defended = (float(record[name]) for name in ("ir_score", "ir_g_base", "ir_g_defended"))
    assert score == pytest.approx(base - defended, rel=1e-4)
    assert float(record["ir_ratio"]) == pytest.approx(1 - defended / base, rel=1e-4)
    assert record["ir_eps"] == "2/255 4/255 8/255 10/255"
    frame = results.to_dataframe()
    assert frame["ir_score"].dtype == np.float64
    assert frame.loc[frame["defense"] == "none", "ir_score"].isna().all()
    assert not math.isnan(frame["gain"].iloc[0])
