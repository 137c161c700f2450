"""Table 9: the hyper-parameters of the training recipes that are shipped."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from robustiqa.reports.formats.numbers import eps_text
from robustiqa.reports.layouts.beside import NOTE, Draft, PaperFigures, PaperKey, beside, ordered
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import paper_rows
from robustiqa.reports.table import Column, Table
from robustiqa.training.recipe import load_recipe

COLUMNS = (Column("recipe", "recipe"), Column("parameter", "parameter"), Column("value", "value"))
PAPER_NAMES: Final[Mapping[tuple[str, str], str]] = {
    ("clean", "betas"): "betas",
    ("clean", "crops.count"): "batch_size",
    ("clean", "learning_rate"): "learning_rate",
    ("aat", "inner.steps"): "inner_attack",
    ("aat", "inner.alpha"): "step_size",
    ("aat", "inner.eps"): "epsilon_train",
    ("aat", "batch.gap"): "anchor_spacing",
    ("aat", "loss.weight"): "loss",
    ("clean", "alpha"): "loss",
}
"""Which parameter of a recipe is about the same as one of the paper's, by the paper's stage."""
RADII: Final = frozenset({"eps", "alpha"})


def layout(run: Run, options: LayoutOptions) -> list[Table]:  # noqa: ARG001 (recipes are the package's)
    """One table of every recipe's fields; the folders do not matter."""
    recipes = sorted(
        Path(entry.name).stem
        for entry in files("robustiqa.training").joinpath("recipes").iterdir()
        if entry.name.endswith(".toml")
    )
    drafts = [
        Draft(
            {"recipe": recipe, "parameter": name, "value": value},
            order=(recipe, place),
            paper=_key(recipe, name),
            group=recipe,
        )
        for recipe in recipes
        for place, (name, value) in enumerate(flat(load_recipe(recipe)))
    ]
    columns: tuple[Column, ...] = COLUMNS
    lines = ordered(drafts)
    if options.with_paper:
        columns, lines = beside(COLUMNS, drafts, _figures(), _absent)
    notes = (
        "Every field of every shipped recipe; the optimiser is Adam in all of them.",
        *((NOTE,) if options.with_paper else ()),
    )
    return [Table("table9", "Table 9: hyper-parameters", columns, lines, notes)]


def flat(settings: BaseModel, prefix: str = "") -> list[tuple[str, str]]:
    """Fields of a recipe and of its tables, ``table.field``; values of lists of tables are joined by slashes."""
    fields: list[tuple[str, str]] = []
    for name in type(settings).model_fields:
        value, own = getattr(settings, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            fields += flat(value, f"{own}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            tables = [dict(flat(table, f"{own}.")) for table in value]
            fields += [(key, " / ".join(table[key] for table in tables)) for key in tables[0]]
        else:
            fields.append((own, _spelled(own, value)))
    return fields


def _spelled(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(_spelled(name, part) for part in value)
    if isinstance(value, float):
        return eps_text(value) if name.rpartition(".")[2] in RADII and "." in name else f"{value:g}"
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _key(recipe: str, name: str) -> PaperKey | None:
    printed = PAPER_NAMES.get((recipe, name))
    return None if printed is None else (recipe, printed)


def _figures() -> PaperFigures:
    return {
        (row["stage"], row["parameter"]): {"value": row["value"]} for row in paper_rows("table9_hyperparameters")
    }


def _absent(key: PaperKey) -> Draft:
    stage, name = key
    return Draft({"recipe": stage, "parameter": f"{name}, in the paper"}, order=(stage, len(name) + 1000), paper=key,
                 group=stage)  # fmt: skip
