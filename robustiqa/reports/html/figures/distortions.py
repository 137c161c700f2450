"""Which distortions let the score be moved: mean gain by type, as a table that is shaded."""

from typing import Final

import numpy as np

from robustiqa.reports.html.arena import Arena, Entrant, Trial, most_moved
from robustiqa.reports.html.heat import HeatMap, shaded
from robustiqa.reports.html.tables import Cell, Table, number
from robustiqa.reports.render import DASH

MOST: Final = 16


def heat_map(arena: Arena) -> HeatMap | None:
    """The mean gain of each type under each entrant's worst attack at the focus; None where there is but one type."""
    worst = {entrant: most_moved(arena.of(entrant, arena.focus)) for entrant in arena.ranked[:MOST]}
    trials = {entrant: trial for entrant, trial in worst.items() if trial is not None}
    if not trials:
        return None
    gains = {entrant: _by_type(trial) for entrant, trial in trials.items()}
    types = sorted({kind for known in gains.values() for kind in known})
    if len(types) < 2:
        return None
    means = [float(np.mean(v)) for known in gains.values() for v in known.values()]
    top = max(means)
    rows = tuple(_row(kind, gains, top) for kind in types)
    attacks = {trial.attack for trial in trials.values()}
    under = f"under {next(iter(attacks))}" if len(attacks) == 1 else "under each metric's worst attack"
    table = Table("Mean gain by distortion type", ("distortion", "images", *(e.label for e in trials)), rows)
    where = f"{under} at {arena.pushed}"
    text = f"Mean gain {where}. Few images of a type make its mean rough: see their number."
    return HeatMap("types", "Which distortions give way", text, table, (number(min(0.0, *means), 2), number(top, 2)))


def _by_type(trial: Trial) -> dict[str, list[float]]:
    view, found = trial.moved.view, dict[str, list[float]]()
    kinds = {row.id: row.distortion for row in view.rows}
    for sample, gain in view.gains().items():
        found.setdefault(kinds[sample], []).append(gain / view.width)
    return found


def _row(kind: str, gains: dict[Entrant, dict[str, list[float]]], top: float) -> tuple[Cell, ...]:
    counts = sorted({len(known.get(kind, ())) for known in gains.values()})
    images = str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    return Cell(kind), Cell(images, str(counts[-1]), "number"), *(_shaded(k.get(kind), top) for k in gains.values())


def _shaded(gains: list[float] | None, top: float) -> Cell:
    return shaded(float(np.mean(gains)), top) if gains else Cell(DASH, "", "number")
