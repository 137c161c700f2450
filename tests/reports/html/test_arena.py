"""Entrants, budgets, worst trials and the places of a ranking."""

from dataclasses import replace

import pytest

from robustiqa.reports.html.arena import Budget, arenas, lowest_srocc, most_moved
from robustiqa.reports.html.findings import findings
from robustiqa.reports.html.flag_links import FlagBook
from robustiqa.reports.html.leaderboard import leaderboards
from robustiqa.reports.html.standings import standings
from robustiqa.reports.html.tables import number


def spec_of(row, **changes):
    return replace(row, view=replace(row.view, spec=row.view.spec.model_copy(update=changes)))


def test_gain_comes_from_up_and_srocc_from_tomean(arena, rows):
    """As in the printed table."""
    (trial,) = (t for t in arena.trials if (t.entrant.label, t.attack, t.budget) == ("wavy", "fgsm", Budget(8 / 255)))
    here = {r.view.direction: r for r in rows if r.view.spec.model.name == "wavy" and r.view.spec.attack.label == "fgsm"
            and r.view.spec.eps == 8 / 255}  # fmt: skip
    assert trial.moved is here["up"]
    assert trial.ranked is here["tomean"]


def test_the_worst_is_over_attacks_and_threats(arena):
    """The largest gain and the lowest SROCC of an entrant may come from different attacks."""
    for entrant in arena.entrants:
        trials = arena.of(entrant, arena.focus)
        assert {t.attack for t in trials} == {"fgsm", "pgd:steps=3", "square:queries=300"}
        assert most_moved(trials).gain == max(t.gain for t in trials)
        assert lowest_srocc(trials).srocc == min(t.srocc for t in trials)


def test_charts_show_the_largest_budget_that_most_entrants_were_attacked_at(rows):
    """One entrant alone at 16/255 does not take the charts from the others."""
    more = [spec_of(row, eps=16 / 255) for row in rows if row.view.spec.model.name == "wavy" and row.view.spec.eps == 8 / 255]
    more = [replace(row, view=replace(row.view, keys=(f"more-{row.view.spec.attack.label}",))) for row in more]
    (arena,) = arenas([*rows, *more])
    assert [b.text for b in arena.budgets] == ["2/255", "8/255", "16/255"]
    assert arena.focus == Budget(8 / 255)


def test_equal_names_with_other_weights_are_two_entrants_with_two_labels(rows):
    """A retrained model does not hide behind the first one's name."""
    other = [spec_of(r, model=r.view.spec.model.model_copy(update={"weights": "f00baa99"})) for r in rows]
    other = [replace(row, view=replace(row.view, keys=("other", *row.view.keys))) for row in other]
    (arena,) = arenas([*rows, *other])
    labels = [e.label for e in arena.entrants]
    assert len(set(labels)) == 4
    assert {"linear (f00baa)", "wavy (f00baa)"} < set(labels)


def test_defended_entrants_share_their_models_colour_and_are_dashed(rows):
    """As in the paper's Figure 7."""
    defense = rows[0].view.spec.attack.model_copy(update={"name": "jpeg", "label": "jpeg"})
    other = [replace(row, view=replace(row.view, keys=("jpeg", *row.view.keys))) for row in rows]
    (arena,) = arenas([*rows, *(spec_of(row, defense=defense) for row in other)])
    styles = {e.label: e.style for e in arena.entrants}
    assert styles["wavy"].colour == styles["wavy + jpeg"].colour != styles["linear"].colour
    assert (styles["wavy"].dash, styles["wavy + jpeg"].dash) == (0, 1)
    assert len({s.shape for s in styles.values()}) == 4


def test_each_dataset_and_crop_is_an_arena(rows):
    """Numbers of other images are not ranked against each other."""
    other = [spec_of(row, crop=16) for row in rows]
    other = [replace(row, view=replace(row.view, keys=("crop", *row.view.keys))) for row in other]
    assert [a.title for a in arenas([*rows, *other])] == ["memory", "memory, central 16 pixels"]


def scored(trial, seed, noise):
    """The trial as if the attacked scores were human quality with noise."""
    import numpy as np

    view, rng = trial.ranked.view, np.random.default_rng(seed)
    new = tuple(r.model_copy(update={"attacked": view.orientation * (r.quality + noise * rng.normal())}) for r in view.rows)
    return replace(trial, ranked=replace(trial.ranked, view=replace(view, rows=new)))


def test_ranks_are_claimed_where_paired_intervals_allow_and_shared_where_not(arena):
    """A good metric is above two poor ones, and those two share what is left."""
    trial = arena.trials[0]
    ranks = standings([scored(trial, 1, 30.0), scored(trial, 2, 0.1), scored(trial, 3, 30.0)])
    assert [rank.text for rank in ranks] == ["2–3", "1", "2–3"]


def test_few_references_claim_no_rank(arena):
    """Eight references are fewer than 20."""
    trials = [scored(arena.trials[0], 1, 30.0), scored(arena.trials[0], 2, 0.1)]
    few = []
    for trial in trials:
        rows = tuple(r.model_copy(update={"reference": f"r{int(r.id) % 8}"}) for r in trial.ranked.view.rows)
        few.append(replace(trial, ranked=replace(trial.ranked, view=replace(trial.ranked.view, rows=rows))))
    assert [rank.text for rank in standings(few)] == ["1–2", "1–2"]


def test_the_leaderboard_says_what_its_trials_say(arena, rows):
    """Numbers, sources and order, from the highest SROCC under the worst attack to the lowest."""
    focus, other = leaderboards(arena, FlagBook(rows))
    assert (focus.budget, other.budget) == (Budget(8 / 255), Budget(2 / 255))
    assert [float(p.srocc.sort) for p in focus.places] == sorted((float(p.srocc.sort) for p in focus.places), reverse=True)
    for place in focus.places:
        trials = arena.of(place.entrant, focus.budget)
        assert place.srocc.value == number(lowest_srocc(trials).srocc)
        assert place.gain.value == number(most_moved(trials).gain)
        assert place.gain.source == f"{most_moved(trials).attack} · {most_moved(trials).spec.threat} · up"
        assert {f.text for f in place.flags} >= set(most_moved(trials).moved.flags) - {"dead-gradients"}


def test_an_undefined_srocc_is_a_dash_and_stands_last(arena, rows):
    """A constant score has no rank correlation; the entrant is not lost."""
    flat = [replace(r, view=replace(r.view, rows=tuple(s.model_copy(update={"attacked": 1.0}) for s in r.view.rows)))
            if r.view.spec.model.name == "linear" else r for r in rows]  # fmt: skip
    from robustiqa.reports.rows import _row

    again = [_row(row.view, set(), 0) for row in flat]
    (only,) = arenas(again)
    board = leaderboards(only, FlagBook(again))[0]
    assert [p.entrant.label for p in board.places] == ["wavy", "linear"]
    assert board.places[1].srocc.value == "—"
    assert "undefined" in {f.text for f in board.places[1].flags}
    with pytest.raises(KeyError):
        FlagBook(rows).links(again[0])


def test_a_model_trained_on_the_labels_is_not_ranked_against_others(rows):
    """It stands after them with a dash, and no finding compares it; where all were, they are ranked."""

    def flagged(names):
        marked = [replace(r, flags=(*r.flags, "labels-seen-in-training")) if r.view.spec.model.name in names else r for r in rows]
        (only,) = arenas(marked)
        return only, leaderboards(only, FlagBook(marked))[0]

    (plain,) = arenas(rows)
    best = plain.ranked[0].label
    arena, board = flagged({best})
    assert [(p.entrant.label, p.rank) for p in board.places][-1] == (best, "—")
    assert [p.rank for p in board.places[:-1]] == ["1"]
    assert not any(best in f.text for f in findings(arena) if "SROCC" in f.text)
    _, board = flagged({"linear", "wavy"})
    assert "—" not in [p.rank for p in board.places]
