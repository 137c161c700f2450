"""Tables 4 and 9: an ablation's trials and the shipped recipes."""

import math
from dataclasses import replace

import pytest

from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import spelled
from robustiqa.models.birqa.model import Settings
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.layouts.table4 import modules_of
from robustiqa.reports.paper_figures import paper_rows
from robustiqa.training.ablation import ALONE, TABLE
from robustiqa.training.recipe import load_recipe
from robustiqa.training.trial import Trial

PAPER = LayoutOptions(with_paper=True)


def trial(modules, srocc):
    settings = modules.settings(replace(Settings(), width=8, levels=2))
    return Trial(model=spelled("birqa", settings), features=("ssim",), parameters=7, steps=9, references=3, srocc=srocc,
                 plcc=0.5, within_type=0.4)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for i, (modules, srocc) in enumerate(zip(TABLE, (0.7, math.nan, 0.9, 0.8), strict=True)):
        (tmp_path / f"birqa-{i}.json").write_text(trial(modules, srocc).model_dump_json())
    return tmp_path


@pytest.mark.parametrize("modules", [*TABLE, *ALONE])
def test_an_architecture_is_known_by_its_modules(modules):
    """Back from the spelling of a trial, whatever else varies."""
    assert modules_of(trial(modules, 0.5)) == modules


def test_table4_puts_the_modules_back_one_by_one(folder):
    """In the paper's order, the best in bold, an undefined SROCC no best, the paper's beside ours."""
    (table,) = make_tables("table4", Run((folder,)), PAPER)
    marks = [[line.cells[name] for name in ("csram", "scgb", "rah")] for line in table.lines]
    assert marks == [[None] * 3, ["yes", None, None], ["yes", "yes", None], ["yes"] * 3]
    assert [line.cells["srocc"].best for line in table.lines] == [False, False, True, False]
    printed = [float(row["srocc"]) for row in paper_rows("table4_ablation_kadid")]
    assert [line.cells["srocc_paper"].value for line in table.lines] == printed


def test_table4_says_how_trials_are_made(tmp_path):
    """A folder without any is told what to run."""
    with pytest.raises(InvalidInput, match="robustiqa ablate"):
        make_tables("table4", Run((tmp_path,)), LayoutOptions())


def test_table9_holds_every_field_of_every_recipe(tmp_path):
    """Read from the recipes themselves; the paper's values stand beside those that are about the same."""
    (table,) = make_tables("table9", Run((tmp_path,)), PAPER)
    clean = {line.cells["parameter"]: line.cells for line in table.lines if line.cells["recipe"] == "clean"}
    recipe = load_recipe("clean")
    assert clean["steps"]["value"] == str(recipe.steps)
    assert clean["learning_rate"]["value"] == f"{recipe.learning_rate:g}"
    assert clean["learning_rate"]["value_paper"] == "1e-4"
    assert clean["crops.count"]["value"] == " / ".join(str(crops.count) for crops in recipe.crops)
    assert clean["crops.count"]["value_paper"] == "32"
    stated = {(row["stage"], row["value"]) for row in paper_rows("table9_hyperparameters")}
    shown = {(line.cells["recipe"], line.cells["value_paper"]) for line in table.lines if line.cells.get("value_paper")}
    assert shown == stated
