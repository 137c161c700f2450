"""The table that ``bench`` prints: one line per cell, gain from ``up``, attacked SROCC from ``tomean``."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from robustiqa.reports.render import DASH, eps_text, interval_text, number
from robustiqa.reports.rows import Row


def print_table(rows: Sequence[Row], console: Console) -> None:
    """Rows that differ in direction alone share a line; flags stand below it, so that none is cut off."""
    table = Table(title="How far the attacker moved the metric", title_justify="left", show_lines=True)
    for header in ("dataset", "model", "attack, ε, threat", "n", "clean SROCC ↑\n[95 % CI]",
                   "attacked SROCC ↑\n(tomean) [95 % CI]", "gain ↓\n(up) [95 % CI]", "SSIM", "flags"):  # fmt: skip
        table.add_column(header, overflow="fold")
    for group in _groups(rows):
        table.add_row(*_cells(group))
    console.print(table)
    for note in _notes(rows):
        console.print(note, style="dim", highlight=False)


def _groups(rows: Iterable[Row]) -> list[dict[str, Row]]:
    groups: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        spec = row.view.spec
        attack = spec.attack.label if spec.attack else ""
        defense = spec.defense.label if spec.defense else ""
        key = (spec.dataset.manifest, spec.model.name, spec.model.weights, defense, attack, str(spec.eps), spec.threat,
               str(spec.crop), str(spec.seed))  # fmt: skip
        groups.setdefault(key, {})[row.view.direction] = row
    return list(groups.values())


def _cells(group: dict[str, Row]) -> tuple[str, ...]:
    first = next(iter(group.values()))
    spec = first.view.spec
    up = group.get("up") or group.get("down") or first
    attacked = group.get("tomean") or first
    gain_note = "" if up.view.direction == "up" else f" ({up.view.direction})"
    srocc_note = "" if attacked.view.direction == "tomean" else f" ({attacked.view.direction})"
    model = spec.model.name if spec.defense is None else f"{spec.model.name}\n+ {spec.defense.label}"
    excluded = f"\n−{first.n_excluded}" if first.n_excluded else ""
    return (
        spec.dataset.name,
        model,
        f"{spec.attack.label if spec.attack else DASH}\n{eps_text(spec.eps)}\n{spec.threat}",
        f"{first.n}{excluded}",
        interval_text(first.srocc_clean),
        interval_text(attacked.srocc_attacked) + srocc_note,
        interval_text(up.gain) + gain_note,
        number(up.ssim),
        "\n".join(sorted({flag for row in group.values() for flag in row.flags})),
    )


def _notes(rows: Sequence[Row]) -> list[str]:
    notes = sorted({f"{row.view.spec.dataset.name}: {row.view.spec.dataset.human_score}." for row in rows})
    whole = {f"{row.view.spec.model.name} {interval_text(row.srocc_whole)}" for row in rows if row.srocc_whole}
    if whole:
        notes.append(f"Clean SROCC of the whole images: {', '.join(sorted(whole))}.")
    notes.append(
        "gain: mean rise of the reported quality over the model's q01-q99 range of clean scores; "
        "tomean: up where human quality is below the dataset's mean, else down."
    )
    return notes
