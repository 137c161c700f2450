"""Scores before and after, image by image, a panel per entrant."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.reports.html.arena import Arena, Entrant, Trial, lowest_srocc, most_moved
from robustiqa.reports.html.axes import fitted
from robustiqa.reports.html.drawing import HEIGHT, WIDTH, Figure, Frame, Key, Panel, Shape
from robustiqa.reports.html.styles import Style, marker
from robustiqa.reports.html.tables import estimate_text

Vector = NDArray[np.float64]
MOST, POINTS = 12, 400
LEFT, TOP, RIGHT, BOTTOM = 52, 30, 14, 48
UP, DOWN = Style(2, 2), Style(1, 4)  # triangles that point where the attacker pushed
READING: Final = (
    ("On the diagonal nothing moved. Where marks of one height come from all along the axis, the ranking is gone. "
    "“Up” is towards better quality: downwards on the page for a distance."),
)
DIRECTIONS: Final = {1: UP, -1: DOWN}


def clean_attacked(arena: Arena) -> Figure | None:
    """The figure at the focus budget; None where no score is finite."""
    shown = {e: _worst(arena, e) for e in arena.ranked[:MOST]}
    panels = [_panel(entrant, trial) for entrant, trial in shown.items() if trial is not None]
    if not panels:
        return None
    return Figure(
        "clean-attacked",
        "Scores before and after",
        (f"Each mark is an image, under the attack that cost its metric most at {arena.turned}.", *READING),
        tuple(panels),
        (Key("pushed up", UP, line=False), Key("pushed down", DOWN, line=False)),
    )


def _worst(arena: Arena, entrant: Entrant) -> Trial | None:
    trials = arena.of(entrant, arena.focus)
    found = lowest_srocc(trials) or most_moved(trials)
    return found if found is not None and found.ranked.n else None


def _panel(entrant: Entrant, trial: Trial) -> Panel:
    view = trial.ranked.view
    rows = [(row, sign) for row, sign in zip(view.rows, view.signs, strict=True) if row.status == "ok"]
    thin = rows[:: -(-len(rows) // POINTS)]
    clean, attacked = (np.array([getattr(row, f) for row, _ in thin], dtype=np.float64) for f in ("clean", "attacked"))
    x, y = fitted(clean, LEFT, WIDTH - RIGHT), fitted([*attacked, *clean], HEIGHT - BOTTOM, TOP)
    frame = Frame(x, y)
    direction = "lower is better" if view.spec.model.lower_better else "higher is better"
    axes, texts = frame.drawn("score before", f"score after ({direction})", x.ticks(), y.ticks())
    low, high = max(x.low, y.low), min(x.high, y.high)
    diagonal = Shape("M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*frame.at(low, low), *frame.at(high, high)), "zero")
    marks = [_marks(frame, clean, attacked, [s for _, s in thin], sign) for sign in DIRECTIONS]
    shown = f", {len(thin)} of {len(rows)} images drawn" if len(thin) < len(rows) else ""
    told = (
        f"{entrant.label} under {trial.attack}, {view.direction}: SROCC {estimate_text(trial.ranked.srocc_clean)} "
        f"before, {estimate_text(trial.ranked.srocc_attacked)} after{shown}."
    )
    return Panel(f"{entrant.label} · {trial.attack}{shown}", told, (*axes, diagonal, *marks), texts)


def _marks(frame: Frame, clean: Vector, attacked: Vector, signs: list[float], wanted: int) -> Shape:
    style = DIRECTIONS[wanted]
    points = [frame.at(c, a) for c, a, s in zip(clean, attacked, signs, strict=True) if s == wanted]
    return Shape("".join(marker(style.shape, x, y, 3.2) for x, y in points), f"cloud {style.tint}")
