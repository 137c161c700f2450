"""The feature search and the ablation: which sets are tried, what is kept, and what is done again."""

import json
import math
from dataclasses import replace
from itertools import combinations

import pytest

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.models.birqa.model import Settings
from robustiqa.training import trial as trials
from robustiqa.training.ablation import ALONE, TABLE
from robustiqa.training.recipe import Crops, Recipe
from robustiqa.training.search import CANDIDATES, search, weaknesses
from robustiqa.training.trial import Bench, Timing, Trial, read_trial, run_trial

SIZE = "64x48"
RECIPE = Recipe(steps=3, learning_rate=1e-3, final_learning_rate=1e-3, crops=(Crops(size=32, count=2, probability=1),))
WORTH = {name: i for i, name in enumerate(reversed(CANDIDATES))}  # saliency is worth nothing, ssim most
SMALL = Settings(features="ssim", width=4, levels=2)


def made(features, srocc, seconds=1.0):
    timing = Timing(forward=seconds, yardstick=1.0, runs=1)
    return Trial(model="m", features=features, parameters=1, steps=3, references=1, srocc=srocc, plcc=0.5, within_type=0.5,
                 timings={SIZE: timing})  # fmt: skip


def attempt(tried):
    def one(features):
        tried.append(features)
        return made(features, sum(WORTH.get(name, 0) for name in features) / 100)

    return one


def test_the_papers_search_has_its_numbers_of_sets():
    """231 sets of up to three, 70 of four from eight, the other four as a fifth; raw pixels alone and as a fifth."""
    tried = []
    found = search(CANDIDATES, 5, 3, SIZE, attempt(tried))
    assert len(tried) == len(set(tried)) == len(found.trials) == 231 + 1 + 70 + 4 + 1
    assert [sum(len(s) == n for s in tried) for n in range(1, 6)] == [12, 55, 165, 70, 5]
    assert set(found.dropped) == {"saliency", "vif", "dlm"}
    assert {frozenset(s) for s in tried if len(s) == 4} == set(map(frozenset, combinations(CANDIDATES[:8], 4)))
    fifths = [set(s) - set(CANDIDATES[:4]) for s in tried if len(s) == 5]
    assert fifths == [{"gabor"}, {"wavelet"}, {"entropy"}, {"edge"}, {"raw"}]


@pytest.mark.parametrize(("largest", "count"), [(1, 6), (2, 16), (3, 26), (4, 31), (5, 33)])
def test_smaller_searches_stop_earlier(largest, count):
    """Five candidates: nothing is dropped; sets are written in one order, whatever order they were asked for in."""
    tried = []
    found = search(("lbp", "gabor", "color", "information", "ssim"), largest, 3, SIZE, attempt(tried))
    assert len(tried) == count
    assert found.dropped == ()
    assert tried[0] == ("ssim",)
    assert all(list(s) == sorted(s, key=(*CANDIDATES, "raw").index) for s in tried)


def test_what_cannot_be_searched_is_refused():
    """A feature that does not exist, one named twice, and sets of none."""
    with pytest.raises(UnknownName, match="gabor"):
        search(("gabro",), 1, 0, SIZE, attempt([]))
    with pytest.raises(InvalidInput, match="twice"):
        search(("ssim", "ssim"), 1, 0, SIZE, attempt([]))
    with pytest.raises(InvalidInput, match="1 to 5"):
        search(("ssim",), 0, 0, SIZE, attempt([]))


def test_a_slow_or_failed_feature_is_weak():
    """Beaten in speed and accuracy by the same sets with another feature; NaN is worst."""
    figures = {"ssim": (0.9, 1.0), "lbp": (0.8, 2.0), "vif": (math.nan, 2.0)}
    sets = {(name,): made((name,), *figure) for name, figure in figures.items()}
    assert weaknesses(sets, SIZE) == {"ssim": 0.0, "lbp": 0.5, "vif": 1.0}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A bench whose training is a note; ``bench.notes`` counts trainings, ``bench.clocked`` timings."""
    (tmp_path / "a.png").write_bytes(b"a")
    notes, clocked = [], []

    def run_training(run, report):
        notes.append(run)
        report(run.recipe.steps, {})
        run.out.with_suffix(".pt").write_bytes(b"state")
        first = {} if len(notes) == 1 and stopped else {"validation_srocc": 0.9, "validation_plcc": 0.8, "validation_within_type": math.nan}
        facts = {"last": first, "references": {"validation": ["a", "b"]}}
        run.out.with_suffix(".json").write_text(json.dumps(facts))

    stopped = []
    monkeypatch.setattr(trials, "run_training", run_training)

    def clock(model):
        clocked.append(model)
        return Timing(forward=2.0, yardstick=1.0, runs=1)

    made_bench = Bench(RECIPE, (tmp_path / "a.png",), tmp_path / "out", 0, 1, SIZE, clock, lambda *_: None)
    return made_bench, notes, clocked, stopped


def test_a_finished_trial_is_not_computed_again(bench):
    """Its file says all; another size is timed without training; a finished trial leaves no optimiser behind."""
    desk, notes, clocked, _ = bench
    first = run_trial(SMALL, desk)
    again = run_trial(SMALL, desk)
    assert first.model_dump_json() == again.model_dump_json()
    assert (len(notes), len(clocked)) == (1, 1)
    assert first.timings[SIZE].speed == 0.5
    assert (first.srocc, first.references, first.features) == (0.9, 2, ("ssim",))
    assert math.isnan(again.within_type)
    assert not list(desk.folder.rglob("*.pt"))
    larger = run_trial(SMALL, replace(desk, size="128x96"))
    assert set(larger.timings) == {SIZE, "128x96"}
    assert (len(notes), len(clocked)) == (1, 2)


def test_another_recipe_seed_photograph_or_architecture_is_another_trial(bench):
    """None is taken for the other."""
    desk, notes, _, _ = bench
    other = RECIPE.model_copy(update={"steps": 4})
    photograph = desk.photographs[0].with_name("b.png")
    photograph.write_bytes(b"b")
    desks = [desk, replace(desk, recipe=other), replace(desk, seed=1), replace(desk, photographs=(photograph,))]
    for one in desks:
        run_trial(SMALL, one)
    run_trial(replace(SMALL, features="lbp"), desk)
    assert len(notes) == 5 == len(list(desk.folder.glob("*.json")))


def test_a_run_stopped_before_its_figures_is_trained_again(bench):
    """Its last checkpoint is there, its figures are not."""
    desk, notes, _, stopped = bench
    stopped.append(True)
    assert run_trial(SMALL, desk).srocc == 0.9
    assert len(notes) == 2


def test_a_file_that_is_no_trial_is_named(bench):
    """With what to do."""
    desk, _, _, _ = bench
    path = desk.path(SMALL)
    path.parent.mkdir()
    path.write_text('{"model": ')
    with pytest.raises(InvalidInput, match=rf"{path.name}.*remove"):
        read_trial(path)
    with pytest.raises(InvalidInput, match="remove"):
        run_trial(SMALL, desk)


def test_the_ablation_is_the_papers_table():
    """From all replaced to all there, one module at a time; each alone beyond it."""
    rows = [modules.settings(SMALL) for modules in (*TABLE, *ALONE)]
    assert [(s.csram, s.scgb, s.rah) for s in rows] == [
        ("cross-attention", "product", False), (True, "product", False), (True, True, False), (True, True, True),
        ("cross-attention", True, True), (True, "product", True),
    ]  # fmt: skip
    assert rows[3] == SMALL
