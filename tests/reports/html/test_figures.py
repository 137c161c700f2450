"""Figures show the numbers of the rows: positions are read back through the scale, means are taken by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from robustiqa.reports.html.arena import arenas, lowest_srocc, most_moved
from robustiqa.reports.html.figures.clean_attacked import clean_attacked
from robustiqa.reports.html.figures.distortions import heat_map
from robustiqa.reports.html.figures.eps_curves import eps_curves
from robustiqa.reports.html.figures.gain_distributions import gain_distributions, gains_of
from robustiqa.reports.html.figures.judges import judged
from robustiqa.reports.html.figures.query_curves import change_curves, query_curves
from robustiqa.reports.html.tables import number


def centres(panel, css):
    """The middle of every marker with these classes."""
    found = []
    for shape in panel.shapes:
        if shape.css == css:
            points = [tuple(map(float, p)) for p in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", shape.d)]
            disc = re.match(r"M(-?[\d.]+) (-?[\d.]+)a([\d.]+)", shape.d)
            found.append((float(disc[1]) + float(disc[3]), float(disc[2])) if disc else tuple(np.mean(points, axis=0)))
    return found


def y_axis(panel):
    """From pixels to values, by the labels of the axis itself."""
    ticks = [(float(t.y) - 4, float(t.text.replace("−", "-"))) for t in panel.texts if (t.anchor, t.css) == ("end", "tick")]
    (y0, v0), (y1, v1) = ticks[0], ticks[-1]
    return lambda y: v0 + (y - y0) * (v1 - v0) / (y1 - y0)


def test_eps_curves_stand_where_the_srocc_is(arena):
    """From the clean one at 0 through each ε, a panel per attack, one scale for all."""
    figure = eps_curves(arena)
    assert [p.title for p in figure.panels] == list(arena.attacks)
    for panel in figure.panels:
        value = y_axis(panel)
        for entrant in arena.entrants:
            trials = sorted(arena.of(entrant, attack=panel.title), key=lambda t: t.budget)
            wanted = [trials[0].ranked.srocc_clean.value, *(t.srocc for t in trials)]
            drawn = [value(y) for _, y in sorted(centres(panel, f"dot {entrant.style.tint}"))]
            assert drawn == pytest.approx(wanted, abs=0.01)


def test_the_table_below_the_curves_has_every_point(arena):
    """With its interval and direction."""
    table = eps_curves(arena).table
    points = {(row[0].text, row[1].text, row[2].text): row[3].text for row in table.rows}
    for trial in arena.trials:
        assert points[trial.entrant.label, trial.attack, trial.budget.text] == number(trial.srocc)
    assert {row[4].text for row in table.rows} == {"clean", "tomean"}


def test_many_entrants_are_grey_lines_with_their_names(rows):
    """Eleven lines of other weights: ten in colour, the others grey and named where a pointer rests."""
    many = []
    for i in range(11):
        for row in rows:
            spec = row.view.spec
            model = spec.model.model_copy(update={"name": f"{spec.model.name}-{i}"})
            view = replace(row.view, spec=spec.model_copy(update={"model": model}), keys=(str(i), *row.view.keys))
            many.append(replace(row, view=view))
    (arena,) = arenas(many)
    figure = eps_curves(arena)
    grey = [s for s in figure.panels[0].shapes if s.css == "other"]
    assert len(figure.legend) == 10
    assert {s.title for s in grey} == {e.label for e in arena.ranked[10:]}
    assert "12 others" in figure.text[-1]


def test_quartiles_of_the_gains_stand_where_they_are(arena):
    """The bar goes from the first quartile to the third, of the gains over the calibration range."""
    figure = gain_distributions(arena)
    panel = next(p for p in figure.panels if p.title == "pgd:steps=3")
    ticks = [(float(t.x), float(t.text.replace("−", "-"))) for t in panel.texts if (t.css, t.anchor) == ("tick", "middle")]
    (x0, v0), (x1, v1) = ticks[0], ticks[-1]
    for entrant in arena.entrants:
        trial = most_moved(arena.of(entrant, arena.focus, "pgd:steps=3"))
        (bar,) = [s for s in panel.shapes if s.css == f"bar {entrant.style.tint}"]
        ends = map(float, re.match(r"M([\d.]+) [\d.]+H([\d.]+)", bar.d).groups())
        drawn = [v0 + (x - x0) * (v1 - v0) / (x1 - x0) for x in ends]
        rows = trial.moved.view.rows
        by_hand = [trial.moved.view.orientation * (r.attacked - r.clean) / trial.moved.view.width for r in rows]
        assert sorted(gains_of(trial)) == pytest.approx(sorted(by_hand))
        assert drawn == pytest.approx(np.percentile(by_hand, (25, 75)), abs=0.02 * (v1 - v0))


def test_the_heat_map_holds_the_means_by_type(arena):
    """Under each entrant's worst attack; the darkest shade is the largest mean."""
    table = heat_map(arena).table
    shown = []
    for column, label in enumerate(table.columns[2:], 2):
        entrant = next(e for e in arena.entrants if e.label == label)
        view = most_moved(arena.of(entrant, arena.focus)).moved.view
        for row in table.rows:
            gains = [g / view.width for i, g in view.gains().items() if view.rows[[r.id for r in view.rows].index(i)].distortion == row[0].text]
            assert float(row[column].value) == pytest.approx(np.mean(gains), rel=1e-4)
            assert row[1].text == str(len(gains)) == "8"
            shown.append((float(row[column].value), row[column].css))
    assert max(shown)[1] == "number shade8"


def test_query_curves_are_means_of_what_each_search_had_by_then(arena):
    """A search that ended before a budget keeps its final score there."""
    trial = next(t for t in arena.trials if t.attack.startswith("square") and t.entrant.label == "wavy")
    view = trial.moved.view
    early = view.rows[0].model_copy(update={"curve": view.rows[0].curve[:1]})
    view = replace(view, rows=(early, *view.rows[1:]))
    changed = replace(trial, moved=replace(trial.moved, view=view))
    one = replace(arena, trials=(changed,), entrants=(trial.entrant,))
    table = query_curves(one).table
    sign = view.orientation / view.width
    for at, row in zip((100, 300), table.rows, strict=True):
        scores = [dict(r.curve).get(at, r.attacked) for r in view.rows]
        by_hand = np.mean([sign * (s - r.clean) for s, r in zip(scores, view.rows, strict=True)])
        assert row[2].text == str(at)
        assert float(row[3].value) == pytest.approx(by_hand, rel=1e-4)


def test_curves_are_there_only_where_the_rows_hold_them(arena):
    """White boxes have no query curve; nothing here looked for the least change."""
    assert {row[1].text for row in query_curves(arena).table.rows} == {"square:queries=300"}
    assert change_curves(arena) is None
    white = replace(arena, trials=tuple(t for t in arena.trials if t.attack == "fgsm"))
    assert query_curves(white) is None


def test_the_scatter_has_a_mark_for_every_image(arena):
    """Pushed up and pushed down together; the panel says SROCC before and after."""
    figure = clean_attacked(arena)
    assert len(figure.panels) == len(arena.entrants)
    for panel, entrant in zip(figure.panels, arena.ranked, strict=True):
        trial = lowest_srocc(arena.of(entrant, arena.focus))
        marks = "".join(s.d for s in panel.shapes if s.css.startswith("cloud"))
        assert marks.count("M") == marks.count("Z") == len(trial.ranked.view.rows)
        assert number(trial.srocc) in panel.description


def heard(arena, change):
    """The arena with the samples of every trial changed."""
    trials = [replace(t, moved=replace(t.moved, view=replace(t.moved.view, rows=tuple(map(change, t.moved.view.rows)))))
              for t in arena.trials]  # fmt: skip
    return replace(arena, trials=tuple(trials))


def test_judges_have_a_panel_each_and_distances_run_the_other_way(arena):
    """So that to the right is always more alike; a judge that had no word for an image puts no mark there."""
    changed = heard(arena, lambda row: row.model_copy(update={"judged": {"dists": 1 - row.ssim, "fsim": None}}))
    figure = judged(changed)
    assert [p.title for p in figure.panels] == ["dists", "ssim"]
    clouds = [[s.d for s in p.shapes if s.css.startswith("cloud")] for p in figure.panels]
    for distance, likeness in zip(*clouds, strict=True):
        order = [np.argsort([float(x) for x in re.findall(r"M([\d.]+) ", d)], kind="stable").tolist() for d in (distance, likeness)]
        assert order[0] == order[1]


def test_without_judgements_there_is_no_such_figure(arena):
    """Images too small for SSIM have none."""
    assert judged(heard(arena, lambda row: row.model_copy(update={"ssim": None, "judged": {}}))) is None
