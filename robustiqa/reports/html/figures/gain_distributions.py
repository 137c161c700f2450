"""How the gain is spread over the images: a density per entrant, a panel per attack."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.reports.html.arena import Arena, Entrant, Trial, most_moved
from robustiqa.reports.html.axes import Scale, fitted
from robustiqa.reports.html.drawing import WIDTH, Figure, Frame, Panel, Shape, Text, band
from robustiqa.reports.html.styles import pixels
from robustiqa.reports.html.tables import number

Vector = NDArray[np.float64]
MOST: Final = 16
LEFT, TOP, RIGHT, BOTTOM, ROW = 14, 8, 14, 48, 54
DENSITY: Final = 22
GRID: Final = 72
FEWEST: Final = 8  # images below which a density would be a guess


def gain_distributions(arena: Arena) -> Figure | None:
    """The figure, each attack at its focus; None where no gain is defined there."""
    shown = {attack: _spreads(arena, attack) for attack in arena.attacks}
    shown = {attack: rows for attack, rows in shown.items() if rows}
    if not shown:
        return None
    ends = [v for rows in shown.values() for _, gains in rows for v in (0.0, *np.percentile(gains, (1, 99)))]
    x = fitted(ends, LEFT, WIDTH - RIGHT)
    left_out = len(arena.entrants) - MOST
    return Figure(
        "gain-distributions",
        "Gain, image by image",
        (
            (f"At {arena.pushed}: how far each image’s score moved, in units of the "
            "metric’s own range of clean scores (1 is the whole range)."),
            "Line: 5th to 95th percentile, bar: quartiles, notch: median. The curve is the density of the images."
            + (f" The {MOST} highest placed; {left_out} more stand in the tables." if left_out > 0 else ""),
        ),
        tuple(_panel(arena.panel_title(attack), rows, x) for attack, rows in shown.items()),
    )


def _spreads(arena: Arena, attack: str) -> list[tuple[Entrant, Vector]]:
    found, budget = [], arena.focus_of(attack)
    for entrant in arena.ranked[:MOST]:
        worst = most_moved(arena.of(entrant, budget, attack))
        if worst is not None:
            found.append((entrant, gains_of(worst)))
    return found


def gains_of(trial: Trial) -> Vector:
    """Normalised gains of the images of a trial [n], by sample id."""
    view = trial.moved.view
    return np.array(list(view.gains().values())) / view.width


def _panel(attack: str, rows: Sequence[tuple[Entrant, Vector]], x: Scale) -> Panel:
    height = TOP + ROW * len(rows) + BOTTOM
    frame = Frame(x, Scale(0, 1, height - BOTTOM, TOP))
    axes, texts = frame.drawn("gain", "", x.ticks())
    shapes, labels = [*axes, Shape(f"M{pixels(x(0))} {TOP}V{height - BOTTOM}", "zero")], [*texts]
    for i, (entrant, gains) in enumerate(rows):
        base = TOP + ROW * (i + 1) - 8
        shapes += _spread(entrant, gains, x, base)
        labels.append(Text(str(LEFT + 5), pixels(base - DENSITY - 10), entrant.label, "start", "label"))
    parts = [f"{entrant.label}: median {number(float(np.median(gains)), 2)}" for entrant, gains in rows]
    return Panel(attack, f"Gains under {attack}. {'; '.join(parts)}.", tuple(shapes), tuple(labels), WIDTH, height)


def _spread(entrant: Entrant, gains: Vector, x: Scale, base: float) -> list[Shape]:
    p5, q1, median, q3, p95 = (x(float(v)) for v in np.percentile(gains, (5, 25, 50, 75, 95)))
    tint = entrant.style.tint
    told = f"{entrant.label}: median {number(float(np.median(gains)))}, worst {number(float(gains.max()))}"
    return [
        *([_density(gains, x, base, tint)] if gains.size >= FEWEST else []),
        Shape(f"M{pixels(p5)} {pixels(base)}H{pixels(p95)}", f"whisker {tint}", told),
        Shape(f"M{pixels(q1)} {pixels(base)}H{pixels(max(q3, q1 + 1))}", f"bar {tint}", told),
        Shape(f"M{pixels(median)} {pixels(base - 4)}v8", "notch"),
    ]


def _density(gains: Vector, x: Scale, base: float, tint: str) -> Shape:
    """A Gaussian kernel density with Silverman's width, as high as the row allows, within the panel."""
    q1, q3 = np.percentile(gains, (25, 75))
    spread = min(float(gains.std()), float(q3 - q1) / 1.34) or float(gains.std())
    width = max(0.9 * spread * gains.size**-0.2, (x.high - x.low) / 400)
    low, high = max(x.low, float(gains.min()) - 3 * width), min(x.high, float(gains.max()) + 3 * width)
    grid = np.linspace(low, high, GRID)
    heights = np.exp(-0.5 * ((grid[:, None] - gains[None, :]) / width) ** 2).sum(axis=1)
    heights *= DENSITY / heights.max()
    upper = [(x(float(g)), base - 5 - float(h)) for g, h in zip(grid, heights, strict=True)]
    lower = [(x(float(g)), base - 5) for g in (grid[0], grid[-1])]
    return Shape(band(upper, lower), f"density {tint}")
