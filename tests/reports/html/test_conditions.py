"""A run of every kind of cell: equal ε and equal visibility, defended, and carried over; each is by itself, and named."""

from dataclasses import replace

import numpy as np
import pytest

import robustiqa as rq
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.pictures import Pictures as Saved
from robustiqa.benchmarks.plan import Request, calibration_jobs, subjects
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.transfer import score_transferred, sources, transfer_jobs
from robustiqa.core.images import to_rgb
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.figures.carried import transfer_map
from robustiqa.reports.html.figures.eps_curves import eps_curves
from robustiqa.reports.html.figures.ir_scores import ir_scores
from robustiqa.reports.html.figures.query_curves import query_curves
from robustiqa.reports.html.findings import headline
from robustiqa.reports.html.flag_links import FlagBook
from robustiqa.reports.html.gallery import shots
from robustiqa.reports.html.leaderboard import leaderboards
from robustiqa.reports.html.listing import listing
from robustiqa.reports.html.pictures import Kept, Recomputed
from robustiqa.reports.html.report import html_report
from robustiqa.reports.html.tables import number
from robustiqa.reports.transfers import transfers
from tests.reports.html.test_figures import centres, y_axis
from tests.toys import Cliff, Linear, Wavy, memory

EPS = [4 / 255, 8 / 255]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """PGD on two models and on one behind a defense; at SSIM 0.95; Square at the smaller ε; all carried to a third."""
    out, kept = tmp_path_factory.mktemp("conditions"), {"save_images": True, "judges": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: replace(memory(60), name="calibration"))
        rq.bench([Linear(), Wavy()], ["pgd:steps=2"], memory(6), [None, "gaussian"], eps=EPS, out=out, **kept)
        rq.bench([Linear()], ["pgd:steps=2"], memory(6), calibrate="ssim=0.95", out=out, **kept)
        rq.bench([Linear()], ["square:queries=300"], memory(6), eps=EPS[:1], out=out, judges=[])
        request, pictures = Request((Cliff(), Linear(), Wavy()), (), ()), Saved(out)
        carried = transfer_jobs(sources(Store(out).cells(), pictures), subjects(request), pictures)
        run(calibration_jobs(request, None, 0), out)
        assert run(carried, out, compute=score_transferred).failures == ()
    return out


@pytest.fixture(scope="module")
def results(folder):
    return rq.load_results(folder)


@pytest.fixture(scope="module")
def rows(results):
    return results.rows()


@pytest.fixture(scope="module")
def arena(rows):
    (only,) = arenas(rows)
    return only


def test_equal_visibility_is_a_budget_of_its_own_with_its_name(arena, rows):
    """Its leaderboard too; it is never the largest ε, and no point of the curves over ε."""
    assert [budget.title for budget in arena.budgets] == ["ε = 4/255", "ε = 8/255", "ssim=0.95"]
    assert arena.focus.title == "ε = 8/255"
    boards = {board.budget.title: board for board in leaderboards(arena, FlagBook(rows))}
    assert {place.entrant.label for place in boards["ssim=0.95"].places} == {"linear"}
    assert "at ε = 4/255 and 8/255, and at ssim=0.95" in headline([arena])
    assert {row[2].text for row in eps_curves(arena).table.rows} == {"0", "4/255", "8/255"}


def test_carried_images_are_named_and_rank_nobody_that_was_not_attacked(arena, rows):
    """They count among the threats to a model that was attacked itself; the third model is in the matrix alone."""
    assert {entrant.label for entrant in arena.entrants} == {f"{m}{d}" for m in ("linear", "wavy") for d in ("", " + gaussian")}
    assert set(arena.attacks) == {"pgd:steps=2", "square:queries=300"}
    carried = [trial for trial in arena.trials if trial.carried]
    assert {trial.attack for trial in carried if trial.entrant.label == "wavy"} == {
        f"pgd:steps=2 from {source}" for source in ("linear", "linear + gaussian", "wavy + gaussian")
    }
    assert {trial.threat for trial in carried} == {"transfer"}
    assert {panel.title for panel in eps_curves(arena).panels} == set(arena.attacks)


def test_the_matrix_holds_the_gains_of_the_8_bit_images(arena, rows):
    """Source down, target across, the attack on a model itself framed; at the budget of the charts."""
    table = transfer_map(arena).table
    here = [row for row in rows if row.view.spec.eps == 8 / 255 and row.view.spec.calibrate is None]
    expected = {(one.source, one.target): one for one in transfers(here)}
    assert set(table.columns[2:]) == {f"on {target}" for _, target in expected}
    seen = {}
    for row in table.rows:
        for column, cell in zip(table.columns[2:], row[2:], strict=True):
            one = expected.get((row[0].text, column.removeprefix("on ")))
            assert cell.text == ("—" if one is None else number(one.gain.value, 2))
            assert ("own" in cell.css) == (one is not None and one.own)
            seen[row[0].text, column] = cell.text
    assert seen["linear", "on cliff"] != "—"
    assert seen["linear", "on linear + gaussian"] == "—"


def test_every_line_of_the_listing_says_how_the_images_were_made(rows):
    """No two lines are named alike; calibrated ones have their mean ε below."""
    table = listing(rows, FlagBook(rows), several=False)
    names = [(row[0].text, row[1].text, row[1].detail, row[2].text, row[3].text) for row in table.rows]
    assert len(set(names)) == len(names)
    assert any(row[1].detail == "transfer from linear + gaussian" for row in table.rows)
    sighted = [row[2] for row in table.rows if row[2].text == "ssim=0.95"]
    assert sighted
    assert all(cell.detail.startswith("mean ε ") for cell in sighted)


def test_ir_curves_are_g_at_each_eps_and_the_table_has_the_score(arena, rows):
    """From nothing at ε = 0, through the means of the moves; both models behind their defense, none that was carried."""
    figure = ir_scores(arena)
    results = {row.view.spec.model.name: row.ir for row in rows if row.ir and row.view.direction == "up" and not row.view.spec.source}
    assert {panel.title.split(" · ")[0] for panel in figure.panels} == set(results) == {"linear", "wavy"}
    for panel in figure.panels:
        result = results[panel.title.split(" · ")[0]]
        value, entrants = y_axis(panel), [key for key in figure.legend if key.label.startswith(panel.title.split(" · ")[0])]
        drawn = sorted(value(y) for _, y in centres(panel, f"dot {entrants[0].style.tint}"))
        assert drawn == pytest.approx(sorted(g for side in (result.base, result.defended) for _, g in side.curve), abs=0.01)
        (line,) = [row for row in figure.table.rows if row[0].text.startswith(panel.title.split(" · ")[0])]
        assert [cell.text for cell in line[3:6]] == [number(v.value) for v in (result.g_base, result.g_defended, result.score)]


def test_an_attack_that_was_not_made_at_the_focus_is_shown_where_it_was(arena):
    """Square at 4/255 alone, in a run whose charts are of 8/255."""
    assert [panel.title for panel in query_curves(arena).panels] == ["square:queries=300 at ε = 4/255"]


def test_kept_pictures_are_shown_as_they_are(folder, arena, results, monkeypatch):
    """No attack is made again for them, also not for carried and calibrated ones; a broken file is said to be broken."""
    monkeypatch.setattr(Recomputed, "__call__", lambda *_: pytest.fail("computed again"))
    assert html_report(results.cells, pictures=4, folders=results.folders).count("data:image/png") == 16
    shot = shots([arena], 1)[0]
    found, images = Kept([folder])(shot.row), Saved(folder)
    for picture, name in ((found.reference, "reference"), (found.distorted, "distorted"), (found.adversarial, "adversarial")):
        assert np.array_equal(picture, to_rgb(images.read(getattr(shot.row.images, name))))
    assert Kept([folder / "elsewhere"])(shot.row) is None
    path = images.path(shot.row.images.adversarial)
    whole = path.read_bytes()
    path.write_bytes(images.path(shot.row.images.distorted).read_bytes())
    assert "not the picture that was saved" in html_report(results.cells, pictures=4, folders=results.folders)
    path.write_bytes(whole)
