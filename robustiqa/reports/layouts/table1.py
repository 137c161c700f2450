"""Table 1: what the datasets of these results hold."""

from collections.abc import Iterable, Sequence

from robustiqa.benchmarks.cell import Cell
from robustiqa.reports.layouts.beside import Draft, PaperFigures, PaperKey, beside, ordered
from robustiqa.reports.layouts.correlations import field_of
from robustiqa.reports.layouts.notes import paper_notes
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import paper_rows
from robustiqa.reports.table import Column, Table

COLUMNS = (
    Column("dataset", "dataset"),
    Column("resolution", "resolution"),
    Column("references", "ref. images"),
    Column("distorted", "dist. images"),
    Column("scored", "scored here"),
    Column("ratings", "ratings"),
    Column("human", "human score"),
)
"""Ratings are the paper's alone: no dataset's files say how many were given."""


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table; sizes and references are those of the images that were scored whole."""
    cells = [cell for cell in run.cells if cell.spec.purpose != "calibration"]
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.spec.dataset.manifest, []).append(cell)
    drafts = [_draft(own) for own in groups.values()]
    columns: tuple[Column, ...] = COLUMNS
    lines = ordered(drafts)
    if options.with_paper:
        columns, lines = beside(COLUMNS, drafts, _figures(), _absent)
    notes = (
        "Dist. images: of the whole dataset. References and resolution: of the images scored here, uncropped.",
        *paper_notes(options, "the datasets of those names", [str(draft.cells["dataset"]) for draft in drafts]),
    )
    return [Table("table1", "Table 1: datasets", columns, lines, notes)]


def _draft(cells: Sequence[Cell]) -> Draft:
    dataset = cells[0].spec.dataset
    rows = {row.id: row for cell in cells for row in cell.samples}
    name = field_of(dataset.name)
    return Draft(
        {
            "dataset": name,
            "resolution": _sizes(cells) or None,
            "references": len({row.reference for row in rows.values()}),
            "distorted": dataset.pairs,
            "scored": len(rows),
            "human": dataset.human_score,
        },
        order=(name,),
        paper=(name,),
    )


def _sizes(cells: Iterable[Cell]) -> str:
    """Sizes of the whole images, the smallest to the largest where there are several."""
    sizes = {row.size for cell in cells if cell.spec.crop is None for row in cell.samples if row.size is not None}
    ends = sorted(sizes, key=lambda size: size[0] * size[1])
    return " to ".join(dict.fromkeys(f"{size[0]}×{size[1]}" for size in (ends[0], ends[-1]))) if ends else ""


def _figures() -> PaperFigures:
    return {
        (row["dataset"],): {
            "resolution": f"{row['width']}×{row['height']}",
            "references": row["references"],
            "distorted": row["distorted"],
            "ratings": row["ratings"],
        }
        for row in paper_rows("table1_datasets")
    }


def _absent(key: PaperKey) -> Draft:
    return Draft({"dataset": key[0]}, order=(f"~{key[0]}",), paper=key)
