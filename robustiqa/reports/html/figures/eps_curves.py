"""SROCC over ε, a panel per attack: Figure 7 of the BiRQA paper."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from robustiqa.reports.draws import Estimate
from robustiqa.reports.html.arena import Arena, Budget, Entrant, Trial, lowest_srocc
from robustiqa.reports.html.axes import Scale, Tick, fitted
from robustiqa.reports.html.drawing import HEIGHT, WIDTH, Figure, Frame, Key, Panel, Shape, band, polyline
from robustiqa.reports.html.styles import pixels
from robustiqa.reports.html.tables import Cell, Table, estimate, estimate_text, number, sort_key

MOST_BANDS: Final = 4  # beyond, intervals would hide one another; the table has them
MOST: Final = 10  # beyond, lines are thin and grey
LEFT, TOP, RIGHT, BOTTOM = 48, 30, 14, 48
TEXT: Final = (
    "ε = 0 is before the attack. A curve that stays high keeps the ranking.",
    "Solid: without a defense; dashed: defended. Where several threats or seeds were tried, the lowest SROCC counts.",
)


@dataclass(frozen=True)
class _Point:
    """``budget`` has ε = 0 before the attack; then ``direction`` is ``clean``."""

    budget: Budget
    estimate: Estimate
    direction: str


@dataclass(frozen=True)
class _Line:
    entrant: Entrant
    points: tuple[_Point, ...]


def eps_curves(arena: Arena) -> Figure | None:
    """The figure; None where no attack has a defined SROCC."""
    found = {attack: _lines(arena, attack) for attack in arena.attacks}
    found = {attack: lines for attack, lines in found.items() if lines}
    if not found:
        return None
    banded, grey = len(arena.entrants) <= MOST_BANDS, len(arena.entrants) - MOST
    y = fitted(_ends((p.estimate for lines in found.values() for line in lines for p in line.points), banded=banded),
               HEIGHT - BOTTOM, TOP)  # fmt: skip
    return Figure(
        "srocc-over-eps",
        "Ranking as the budget grows",
        (
            f"SROCC between reported quality and human score of the attacked images, {arena.turns}.",
            *TEXT,
            *([f"Grey: {grey} others, which the table names."] if grey > 0 else ()),
        ),
        tuple(_panel(attack, lines, y, arena.ranked[:MOST], banded=banded) for attack, lines in found.items()),
        tuple(Key(entrant.label, entrant.style) for entrant in arena.ranked[:MOST]),
        _table(found),
    )


def _ends(estimates: Iterable[Estimate], *, banded: bool) -> list[float]:
    return [v for e in estimates for v in (e.value, *((e.clustered.lo, e.clustered.hi) if banded else ()))]


def _lines(arena: Arena, attack: str) -> list[_Line]:
    lines = [_Line(entrant, _points(arena.of(entrant, attack=attack))) for entrant in arena.ranked]
    return [line for line in lines if line.points]


def _points(trials: Sequence[Trial]) -> tuple[_Point, ...]:
    budgets = sorted({t.budget for t in trials if not t.budget.visibility})
    worst = [lowest_srocc(t for t in trials if t.budget == budget) for budget in budgets]
    points = [_Point(t.budget, t.ranked.srocc_attacked, t.ranked.view.direction) for t in worst if t is not None]
    if not points:
        return ()
    clean = trials[0].ranked.srocc_clean
    before = [_Point(Budget(0.0), clean, "clean")] if math.isfinite(clean.value) else []
    return (*before, *points)


def _panel(attack: str, every: Sequence[_Line], y: Scale, shown: Sequence[Entrant], *, banded: bool) -> Panel:
    lines = [line for line in every if line.entrant in shown]
    others = [line for line in every if line.entrant not in shown]
    budgets = sorted({point.budget for line in every for point in line.points})
    frame = Frame(Scale(0.0, budgets[-1].eps * 1.04 or 1.0, LEFT, WIDTH - RIGHT), y)
    ticks = [Tick(budget.eps, f"{budget.eps * 255:.3g}") for budget in budgets]
    name = "ε (root mean square), in levels of 255" if budgets[-1].rms else "ε in levels of 255"
    axes, texts = frame.drawn(name, "SROCC", ticks, y.ticks())
    zero = [Shape(f"M{LEFT} {pixels(y(0))}H{WIDTH - RIGHT}", "zero")] if y.low < 0 < y.high else []
    bands = [_band(frame, line) for line in lines] if banded else []
    strokes = [Shape(_path(frame, line), "other", line.entrant.label) for line in others]
    strokes += [Shape(_path(frame, line), f"line {line.entrant.style.css}") for line in lines]
    dots = [_dot(frame, line.entrant, point) for line in lines for point in line.points]
    parts = [f"{line.entrant.label} {_said(line.points[0])} and {_said(line.points[-1])}" for line in lines]
    told = f"SROCC over ε under {attack}: {'; '.join(parts)}."
    return Panel(attack, told, (*axes, *zero, *bands, *strokes, *dots), texts)


def _path(frame: Frame, line: _Line) -> str:
    return polyline(frame.at(point.budget.eps, point.estimate.value) for point in line.points)


def _band(frame: Frame, line: _Line) -> Shape:
    known = [p for p in line.points if math.isfinite(p.estimate.clustered.lo)]
    upper = [frame.at(p.budget.eps, p.estimate.clustered.hi) for p in known]
    lower = [frame.at(p.budget.eps, p.estimate.clustered.lo) for p in known]
    return Shape(band(upper, lower) if known else "", f"band {line.entrant.style.tint}")


def _dot(frame: Frame, entrant: Entrant, point: _Point) -> Shape:
    path = entrant.style.marker(*frame.at(point.budget.eps, point.estimate.value))
    told = f"{entrant.label}, ε = {point.budget.text}: {estimate_text(point.estimate)}"
    return Shape(path, f"dot {entrant.style.tint}", told)


def _said(point: _Point) -> str:
    return f"{number(point.estimate.value, 2)} at ε = {point.budget.text}"


def _table(found: Mapping[str, Sequence[_Line]]) -> Table:
    rows = [
        (
            Cell(line.entrant.label),
            Cell(attack),
            Cell(point.budget.text, sort_key(point.budget.eps), "number"),
            estimate(point.estimate),
            Cell(point.direction),
        )
        for attack, lines in found.items()
        for line in lines
        for point in line.points
    ]
    columns = ("metric", "attack", "ε", "SROCC", "direction")
    return Table("SROCC by attack and ε, with 95 % intervals", columns, tuple(rows))
