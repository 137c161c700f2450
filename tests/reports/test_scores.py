"""Scores of the literature in the rows of a report, by hand from the cells' own samples."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from robustiqa.reports.compose import views
from robustiqa.reports.results import load_results
from robustiqa.reports.scores import scores_of_view
from tests.reports.runs import Made, model


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    out = tmp_path_factory.mktemp("scores")
    Made(out).add(model("dists", lower_better=True), attacks=["fgsm"], move=0.8, eps=(8 / 255,))
    return next(view for view in views(load_results(out).cells) if view.direction == "up")


def qualities(view):
    clean, attacked = (-np.array([getattr(row, name) for row in view.rows]) for name in ("clean", "attacked"))
    return clean, attacked, -np.array([row.clean for row in view.calibration])


def test_every_score_is_its_formula(view):
    """A distance that was lowered: gains and distances are positive, in units of the calibration range."""
    found = scores_of_view(view)
    clean, attacked, calibration = qualities(view)
    low, width = np.percentile(calibration, 1), np.subtract(*np.percentile(calibration, (99, 1)))
    moves = (attacked - clean) / width
    assert found.gains.mean == pytest.approx(moves.mean())
    assert found.gains.mean_relative == pytest.approx((moves / (1 + (clean - low) / width)).mean())
    assert found.gains.worst == pytest.approx(moves.max())
    room = np.maximum(calibration.max() - clean, clean - calibration.min()) / (attacked - clean)
    assert found.msu_robustness == pytest.approx(np.log10(room).mean(), abs=1e-4)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(clean, attacked) / width)
    assert found.energy == pytest.approx(stats.energy_distance(clean / width, attacked / width))
    human = [row.quality for row in view.rows]
    assert found.drops.krocc.clean == pytest.approx(stats.kendalltau(human, clean)[0])
    assert found.unmoved_share == 0


def test_the_declared_range_bounds_the_r_score(view):
    """Where a model declares its range, that is the room it had; else the calibration scores are."""
    spec = view.spec.model_copy(update={"model": view.spec.model.model_copy(update={"score_range": (-10.0, 0.0)})})
    clean, attacked, _ = qualities(view)
    expected = np.log10(np.maximum(10 - clean.clip(0, 10), clean.clip(0, 10)) / np.abs(attacked - clean)).mean()
    assert scores_of_view(replace(view, spec=spec)).r_score == pytest.approx(expected)
    assert scores_of_view(view).r_score != pytest.approx(expected)


def test_areas_under_query_and_change_curves(view):
    """Queries on a logarithmic axis, with the end of the search as last point; changes on a linear one from 0."""
    width = view.width

    def curved(points, forwards=10):
        rows = tuple(
            row.model_copy(update={"curve": tuple((at, row.clean - rise * width) for at, rise in points), "forwards": forwards,
                                   "attacked": row.clean - points[-1][1] * width})
            for row in view.rows
        )  # fmt: skip
        return scores_of_view(replace(view, rows=rows))

    queries = curved([(100, 0.0), (1000, 1.0)], forwards=1000)
    assert queries.query_area == pytest.approx(0.5)
    assert math.isnan(queries.change_area)
    longer = curved([(100, 0.0), (1000, 1.0)], forwards=10_000)
    assert longer.query_area == pytest.approx(0.75)
    changes = curved([(0.01, 0.5), (0.02, 1.0)])
    assert changes.change_area == pytest.approx(0.5)
    assert math.isnan(changes.query_area)
    assert math.isnan(scores_of_view(view).query_area)


def test_without_a_sample_or_a_range_nothing_is_a_number(view):
    """No valid row: every score is NaN; no calibration: those that need a unit are."""
    broken = tuple(row.model_copy(update={"status": "non-finite", "attacked": None}) for row in view.rows)
    empty = scores_of_view(replace(view, rows=broken))
    assert all(math.isnan(value) for value in (empty.gains.mean, empty.r_score, empty.wasserstein, empty.energy))
    assert math.isnan(empty.drops.srocc.drop)
    unit = scores_of_view(replace(view, calibration=()))
    assert all(math.isnan(value) for value in (unit.gains.mean, unit.r_score, unit.msu_robustness, unit.energy))
    assert math.isfinite(unit.gains.mean_raw)
    assert math.isfinite(unit.drops.plcc.drop)
