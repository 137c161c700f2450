"""Recipes: their faults are named, and what they leave out has defaults; learning rates follow from them."""

import pytest

from robustiqa.core.errors import InvalidInput
from robustiqa.training.loop import learning_rate
from robustiqa.training.recipe import Recipe, load_recipe

MINIMAL = (
    "steps = 9\nlearning_rate = 1.0\nfinal_learning_rate = 0.1\n[[crops]]\nsize = 32\ncount = 2\nprobability = 1.0\n"
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("steps = [", "not TOML"),
        (MINIMAL.replace("steps = 9", "steps = 0"), "steps"),
        (MINIMAL.replace("learning_rate = 1.0\n", "", 1), "learning_rate"),
        (MINIMAL.replace("size = 32", "size = 8"), r"crops\.0\.size"),
        ("ema = 1.0\n" + MINIMAL, "ema"),
        ("extra = 1\n" + MINIMAL, "extra"),
    ],
)
def test_faults_of_a_recipe_are_named(tmp_path, text, fault):
    """The file and the field, down to the table that holds it."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=rf"mine\.toml: .*{fault}"):
        load_recipe(str(path))


def test_a_users_recipe_is_read(tmp_path):
    """A path in place of a name; what it leaves out has the documented defaults."""
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    recipe = load_recipe(str(path))
    assert (recipe.steps, recipe.crops[0].size, recipe.alpha) == (9, 32, 0.7)


def test_learning_rate_warms_up_then_falls_along_a_cosine():
    """Linear to its height, half height midway, the final rate at the end."""
    crops = ({"size": 32, "count": 2, "probability": 1},)
    recipe = Recipe(steps=110, learning_rate=1.0, final_learning_rate=0.1, warmup=10, crops=crops)
    assert [learning_rate(step, recipe) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert learning_rate(60, recipe) == pytest.approx(0.55)
    assert learning_rate(110, recipe) == pytest.approx(0.1)
    falling = [learning_rate(step, recipe) for step in range(10, 111)]
    assert falling == sorted(falling, reverse=True)
