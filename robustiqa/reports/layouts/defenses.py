"""Defenses side by side: clean cost, attacked SROCC and gain, adaptive beside oblivious, and the worst of them."""

from collections.abc import Mapping
from typing import Final

from robustiqa.benchmarks.cell import CellSpec
from robustiqa.reports.conditions import budget_text
from robustiqa.reports.defenses import KNOWING, Line, defense_lines
from robustiqa.reports.formats.numbers import DASH
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.rows import make_rows
from robustiqa.reports.table import Column, Content, Number, Table
from robustiqa.reports.table import Line as TableLine
from robustiqa.statistics import Interval

THREATS: Final[Mapping[str, tuple[str, ...]]] = {
    "adaptive": KNOWING,
    "oblivious": ("oblivious",),
    "worst": (*KNOWING, "oblivious"),
}
COSTS: Final = ("before", "after", "change")
COLUMNS: Final = (
    *(Column(name, name) for name in ("dataset", "model", "defense", "attack")),
    Column("eps", "ε"),
    *(Column(f"srocc_clean_{name}", name, "clean SROCC", "higher") for name in COSTS),
    *(Column(f"srocc_{name}", name, "attacked SROCC", "higher") for name in THREATS),
    *(Column(f"gain_{name}", name, "gain", "lower") for name in THREATS),
    Column("flags", "flags"),
)
NOTES: Final = (
    "Adaptive: the defended model itself was attacked (without a defense, the model).",
    "Oblivious: the undefended one was, and the defended one scored.",
    "Worst: the number to quote; lines are sorted by it.",
    "Attacked SROCC: tomean. Gain: up. Clean SROCC: whole images, un-attacked, without and with the defense.",
    "Brackets: 95 % CI, paired bootstrap clustered by reference.",
)


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table; a rule between datasets, models, attacks and ε."""
    lines = defense_lines(make_rows(run.cells, domain=options.domain))
    return [Table("defenses", "Defenses side by side", COLUMNS, tuple(map(_line, lines)), NOTES)]


def _line(line: Line) -> TableLine:
    identity = _identity(line.spec)
    numbers = {
        **dict(zip((f"srocc_clean_{name}" for name in COSTS), line.clean, strict=True)),
        **{f"srocc_{name}": line.srocc(*threats) for name, threats in THREATS.items()},
        **{f"gain_{name}": line.gain(*threats) for name, threats in THREATS.items()},
    }
    cells = {name: _number(interval) for name, interval in numbers.items()}
    group = " ".join(str(value) for name, value in identity.items() if name != "defense")
    return TableLine({**identity, **cells, "flags": " ".join(line.flags)}, group)


def _identity(spec: CellSpec) -> dict[str, Content]:
    return {
        "dataset": spec.dataset.name,
        "model": spec.model.name,
        "defense": "none" if spec.defense is None else spec.defense.label,
        "attack": DASH if spec.attack is None else spec.attack.label,
        "eps": budget_text(spec),
    }


def _number(interval: Interval | None) -> Number | None:
    return None if interval is None else Number(interval.estimate, interval.lo, interval.hi)
