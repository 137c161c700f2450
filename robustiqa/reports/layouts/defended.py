"""Lines of tables whose rows are models with defenses, and what the paper calls the same."""

from collections.abc import Collection, Mapping, Sequence

from robustiqa.reports.layouts.attacked import Variant
from robustiqa.reports.layouts.beside import Draft, PaperFigures, PaperKey, paper_defense, paper_model
from robustiqa.reports.layouts.entries import Entry, Sampler
from robustiqa.reports.paper_figures import DEFENSES, MODELS, defense_rank, paper_rows, printed
from robustiqa.reports.table import Column, Content

GRID_MODELS = ("LPIPS", "TOPIQ", "BiRQA")


def identity_columns() -> list[Column]:
    """What a line is about."""
    return [Column("model", "model"), Column("defense", "defense"), Column("threat", "threat"), Column("n", "n")]


def defended_line(
    variant: Variant, entries: Sequence[Entry | None], cells: Mapping[str, Content], flags: Collection[str],
    sampler: Sampler,
) -> Draft:
    """A line with its identity, the number of samples of its ``entries``, and flags."""
    every = sorted({*flags, *sampler.few_clusters(entries)})
    paper = None if variant.carried else paper_key(variant.model, variant.defense)
    return Draft(
        cells={
            "model": variant.name,
            "defense": variant.defense_label,
            "threat": variant.threat or "undefended",
            "n": counted(entries),
            **cells,
            "flags": " ".join(every),
        },
        order=variant.order,
        paper=paper,
        group=variant.group if paper is None else paper[0],
    )


def counted(entries: Sequence[Entry | None]) -> str:
    """``1000``, ``998 to 1000``, and in brackets how many were left out for want of a finite score."""
    sizes = sorted({len(entry.ids) for entry in entries if entry is not None})
    excluded = max((entry.excluded for entry in entries if entry is not None), default=0)
    span = " to ".join(str(size) for size in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else "0"
    return f"{span} (−{excluded})" if excluded else span


def paper_key(model: str, defense: str) -> PaperKey | None:
    """The paper's line about our model and defense; None where it has none."""
    names = paper_model(model, GRID_MODELS), paper_defense(defense)
    return None if names[0] is None or names[1] is None else (names[0], names[1])


def grid_figures(file: str) -> PaperFigures:
    """The paper's figures of a table whose rows are models with defenses."""
    return {
        (row["model"], row["defense"]): {
            name: printed(text) for name, text in row.items() if name not in {"model", "defense"}
        }
        for row in paper_rows(file)
    }


def absent_line(key: PaperKey) -> Draft:
    """A line of the paper that these results have no figures for."""
    model, defense = key
    order = (list(MODELS).index(model), f"~{model}", False, defense_rank(DEFENSES[defense]), "", "", 0)
    return Draft({"model": model, "defense": defense, "n": None}, order, key, model)
