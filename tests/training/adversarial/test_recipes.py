"""The shipped recipes: the paper's Table 9, one budget for all, and what is refused."""

import pytest

from robustiqa.core.errors import InvalidInput
from robustiqa.models import TRAINABLE
from robustiqa.training.recipe import AdversarialRecipe, Recipe, load_recipe

DEFENSES = ("r", "at", "nt", "aat")
PASSES = {"r": 8 * 6 + 16 * 2, "at": 16 * 10, "nt": 16 * 5, "aat": 8 * 6 + 16 * 2}


@pytest.mark.parametrize("name", DEFENSES)
def test_the_papers_recipes_hold_its_table_9(name):
    """Adam 0.9 / 0.999, batch 32, 2500 epochs, 1e-4, 0.7, and for AAT 8/255, 2/255, lambda 0.5, one half each."""
    paper = load_recipe(f"paper-{name}")
    assert paper.betas == (0.9, 0.999)
    assert {crops.count for crops in paper.crops} == {32}
    assert (paper.epochs, paper.steps, paper.budget) == (2500, 0, 0)
    assert paper.learning_rate == paper.final_learning_rate == 1e-4
    assert paper.alpha == 0.7
    assert paper.resolved(320).steps == 25_000
    if name == "nt":
        assert paper.inner is None
        return
    assert (paper.inner.steps, paper.inner.eps, paper.inner.alpha) == (10, 8 / 255, 2 / 255)
    if name == "aat":
        assert (paper.batch.gap, paper.loss.weight) == (0.5, 0.5)


@pytest.mark.parametrize("model", TRAINABLE.names())
def test_defenses_share_a_budget_and_all_but_the_idea(model):
    """Steps follow from what a step costs; crops and schedule are the same, rates were chosen; a clean recipe is none of them."""
    recipes = {name: load_recipe(name, model) for name in DEFENSES}
    assert len({recipe.budget for recipe in recipes.values()}) == 1
    for name, recipe in recipes.items():
        spent = recipe.resolved(1).steps * PASSES[name]
        assert recipe.budget - PASSES[name] < spent <= recipe.budget
        assert recipe.lesson(0).passes(16) == PASSES[name]
    own = {"batch", "inner", "loss", "warmup", "save_every", "learning_rate"}
    shared = {recipe.model_dump_json(exclude=own) for recipe in recipes.values()}
    assert len(shared) == 1
    assert not isinstance(load_recipe("clean", model), AdversarialRecipe)


TOML = """
steps = 3
learning_rate = 1e-3
final_learning_rate = 1e-3
[[crops]]
size = 32
count = 4
probability = 1
"""


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ("[loss]\nkind='anchored'\n", "the anchored loss needs anchors; raise batch.clean"),
        ("[loss]\nkind='ranking'\n", "'regression', 'label-penalty', 'gradient-norm', 'anchored'"),
        ("[loss]\nkind='anchored'\n[batch]\nclean=0.5\nband=2\nanchors='spaced'\n", "2 anchors of 4 crops cannot cover a band of 2 in gaps of 0.5: 5 are needed"),
        ("[loss]\nkind='regression'\n[inner]\neps='8'\n", "Did you mean 8/255"),
        ("[loss]\nkind='regression'\npenalty=1\n", "penalty"),
        ("[inner]\n[lost]\n", "inner: Extra inputs"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(tmp_path, tables, fault):
    """With the field, the values allowed and the fix."""
    path = tmp_path / "mine.toml"
    path.write_text(TOML + tables)
    with pytest.raises(InvalidInput, match=fault):
        load_recipe(str(path))


def test_one_length_is_wanted(tmp_path):
    """Steps, a budget or epochs: not two, not none; steps asked for on the command line win over all."""
    path = tmp_path / "mine.toml"
    path.write_text(TOML.replace("steps = 3", "steps = 3\nbudget = 9") + "[loss]\nkind='regression'\n")
    with pytest.raises(InvalidInput, match="one of steps, budget and epochs"):
        load_recipe(str(path))
    lasting = load_recipe("aat").lasting(7)
    assert (lasting.steps, lasting.budget) == (7, 0)
    assert lasting.resolved(1).steps == 7
    assert isinstance(load_recipe("clean").lasting(7), Recipe)
