"""The suite of variations of the training defenses: every defense gets as many, and each is a recipe of its own."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.scripts import loaded

FOLDER = Path(__file__).parents[2] / "benchmarks"
SUITES = {file.stem: tomllib.loads(file.read_text()) for file in sorted(FOLDER.glob("training-variations*.toml"))}


@pytest.fixture(scope="module")
def script():
    return loaded(FOLDER / "training_variations.py")


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_every_defense_gets_as_many_different_ones_at_one_budget(script, suite):
    """All resolve to recipes, no two alike, all of the common budget and crops."""
    variations = script.variations_of(suite)
    assert set(Counter(v.recipe for v in variations)) == {"r", "at", "nt", "aat"}
    assert len(set(Counter(v.recipe for v in variations).values())) == 1
    recipes = [v.resolved(suite["model"]) for v in variations]
    assert len({recipe.model_dump_json() for recipe in recipes}) == len(recipes)
    assert {recipe.budget for recipe in recipes} == {suite["common"]["budget"]}


def test_there_are_enough_variations_of_a_defense_to_say_what_is_true_of_it(script):
    """Five or more at either of the first two budgets, from which those of the last are taken."""
    found = {name: Counter(v.recipe for v in script.variations_of(suite)) for name, suite in SUITES.items()}
    assert {name for name, counts in found.items() if min(counts.values()) >= 5} == {
        "training-variations", "training-variations-second",
    }  # fmt: skip


def test_the_best_that_costs_little_is_chosen(script):
    """The highest attacked SROCC within the clean cost, of each defense; none where all cost too much."""
    figures = {"a": (0.95, 0.4), "b": (0.94, 0.9), "c": (0.96, 0.3)}

    def trial(recipe, clean, attacked):
        last = {script.CLEAN: clean, script.ATTACKED: attacked}
        return script.Trial(script.Variation(recipe, {}, {}), {"last": last})

    trials = [trial("r", *values) for values in figures.values()] + [trial("at", 0.5, 0.9)]
    assert script.chosen(trials, {script.CLEAN: 0.97}, clean_cost=0.02) == {"r": trials[0]}


def test_changes_go_table_by_table(script):
    """A change of one field of a table leaves its others."""
    base = {"loss": {"kind": "anchored", "weight": 0.5}, "budget": 1}
    assert script.merged(base, {"loss": {"weight": 1}}) == {"loss": {"kind": "anchored", "weight": 1}, "budget": 1}
    assert base["loss"]["weight"] == 0.5
