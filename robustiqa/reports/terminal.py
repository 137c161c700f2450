"""The table that ``bench`` prints: one line per cell, gain from ``up``, attacked SROCC from ``tomean``."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from robustiqa.benchmarks.cell import CellSpec
from robustiqa.reports.defenses import clean_costs, cost_key
from robustiqa.reports.draws import Estimate
from robustiqa.reports.evaluation import interval_cell
from robustiqa.reports.render import DASH, budget_text, flags_text, interval_text, number, threat_text
from robustiqa.reports.rows import Row

MINIMUM_WIDTH = 100  # of the notes below
WIDEST = 10_000


def print_table(rows: Sequence[Row], console: Console) -> None:
    """Rows that differ in direction alone share a line; flags and notes stand below, so that none is cut off.

    A table that is wider than the console is printed as wide as it is: a number that is cut short is wrong.
    """
    table = Table(title="How far the attacker moved the metric", title_justify="left", show_lines=True, box=SIMPLE)
    headers = ("dataset\nmodel", "attack\nε, threat", "n", "clean\nSROCC ↑", "attacked SROCC ↑\n(tomean)")
    for header in (*headers, "gain ↓\n(up)", "SSIM"):
        table.add_column(header, no_wrap=True)
    for group in _groups(rows):
        table.add_row(*_cells(group))
    needed = Console(width=WIDEST).measure(table).maximum
    console.width = max(console.width, MINIMUM_WIDTH, needed)
    console.print(table)
    for note in _notes(rows):
        console.print(note, highlight=False)


def _groups(rows: Iterable[Row]) -> list[dict[str, Row]]:
    groups: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        spec = row.view.spec
        attack = spec.attack.label if spec.attack else ""
        defense = spec.defense.label if spec.defense else ""
        key = (spec.dataset.manifest, spec.model.name, spec.model.weights, defense, attack, str(spec.eps), spec.threat,
               str(spec.crop), str(spec.seed), str(spec.calibrate), str(spec.source), str(spec.haste))  # fmt: skip
        groups.setdefault(key, {})[row.view.direction] = row
    return list(groups.values())


def _cells(group: dict[str, Row]) -> tuple[str, ...]:
    first = next(iter(group.values()))
    spec = first.view.spec
    up = group.get("up") or group.get("down") or first
    attacked = group.get("tomean") or first
    gain_note = "" if up.view.direction == "up" else f" ({up.view.direction})"
    srocc_note = "" if attacked.view.direction == "tomean" else f" ({attacked.view.direction})"
    model = _model(spec)
    excluded = f"\n−{first.n_excluded}" if first.n_excluded else ""
    return (
        f"{spec.dataset.name}\n{model}",
        f"{spec.attack.label if spec.attack else DASH}\n{budget_text(spec)} {threat_text(spec)}",
        f"{first.n}{excluded}",
        _two_lines(first.srocc_clean),
        _two_lines(attacked.srocc_attacked) + srocc_note,
        _two_lines(up.gain) + gain_note,
        number(up.ssim),
    )


def _model(spec: CellSpec) -> str:
    return spec.model.name if spec.defense is None else f"{spec.model.name} + {spec.defense.label}"


def _costs(rows: Sequence[Row]) -> list[str]:
    """What defenses cost on clean images."""
    specs = {cost_key(row.view.spec): row.view.spec for row in rows}
    texts = []
    for key, cost in clean_costs(rows).items():
        before, after, change = (interval_cell(one) for one in (cost.before, cost.after, cost.change))
        texts.append(f"Clean cost of {_model(specs[key])}: SROCC {before} before, {after} after, change {change}.")
    return texts


def _two_lines(estimate: Estimate) -> str:
    return interval_text(estimate).replace(" ", "\n", 1)


def _notes(rows: Sequence[Row]) -> list[str]:
    flags = {f"{row.view.spec.model.name}, {row.view.spec.attack.label}: {flags_text(row)}" for row in rows
             if row.view.spec.attack and row.flags}  # fmt: skip
    notes = [f"flags  {text}" for text in sorted(flags)]
    notes += sorted({f"{row.view.spec.dataset.name}: {row.view.spec.dataset.human_score}." for row in rows})
    whole = {f"{_model(row.view.spec)} {interval_text(row.srocc_whole)}" for row in rows if row.srocc_whole}
    if whole:
        notes.append(f"Clean SROCC of the whole images: {', '.join(sorted(whole))}.")
    notes += _costs(rows)
    notes.append(
        "[…]: 95 % interval, paired bootstrap clustered by reference. "
        "gain: mean rise of the reported quality over the model's q01-q99 range of clean scores; "
        "tomean: up where human quality is below the dataset's mean, else down."
    )
    return notes
