"""Every row of the report, with all that stands beside its number."""

import math
from collections.abc import Sequence

from robustiqa.reports.html.flag_links import FlagBook
from robustiqa.reports.html.tables import Cell, Table, counted, estimate, figure, sort_key, text
from robustiqa.reports.render import DASH, budget_text, threat_text
from robustiqa.reports.rows import Row

COLUMNS = (
    "metric", "attack", "ε", "direction", "n", "SROCC clean ↑", "SROCC attacked ↑", "gain ↓", "8-bit gain ↓", "SSIM",
    "cost", "flags",
)  # fmt: skip


def listing(rows: Sequence[Row], book: FlagBook, *, several: bool) -> Table:
    """One line per cell and direction; with ``several`` datasets, each line names its own."""
    caption = "One line for each attack and direction; cost: mean forwards / backwards / seconds of an image"
    return Table(caption, COLUMNS, tuple(_line(row, book, several=several) for row in rows))


def _line(row: Row, book: FlagBook, *, several: bool) -> tuple[Cell, ...]:
    spec = row.view.spec
    model = spec.model.name if spec.defense is None else f"{spec.model.name} + {spec.defense.label}"
    return (
        text(model, f"{spec.dataset.name}{'' if spec.crop is None else f', {spec.crop} px'}" if several else ""),
        text(spec.attack.label if spec.attack is not None else DASH, threat_text(spec)),
        _budget(row),
        text(row.view.direction),
        counted(row),
        estimate(row.srocc_clean),
        estimate(row.srocc_attacked),
        estimate(row.gain),
        figure(row.gain_8bit),
        figure(row.ssim),
        Cell(*_cost(row), "number"),
        Cell("", str(len(row.flags)), "flags", flags=book.links(row)),
    )


def _budget(row: Row) -> Cell:
    """ε; where each image has its own, what it was chosen to reach and the mean ε below."""
    spec = row.view.spec
    own = f"mean ε {row.eps * 255:.3g}/255" if spec.calibrate is not None and math.isfinite(row.eps) else ""
    return Cell(budget_text(spec), sort_key(row.eps), "number", own)


def _cost(row: Row) -> tuple[str, str]:
    """Passes and time, sorted by the passes."""
    if not row.n:
        return DASH, ""
    return f"{row.forwards:.0f} / {row.backwards:.0f} / {row.seconds:.2g}", f"{row.forwards + row.backwards:.6g}"
