"""What smaller budgets of the same search give: gain over queries, and over the size of the change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.reports.html.arena import Arena, Entrant, Trial, most_moved
from robustiqa.reports.html.axes import Scale, Tick, fitted
from robustiqa.reports.html.drawing import HEIGHT, WIDTH, Figure, Frame, Key, Panel, Shape, band, polyline
from robustiqa.reports.html.tables import Cell, Table, figure, number, sort_key
from robustiqa.statistics import Interval, Resamples, bootstrap_mean

LEFT, TOP, RIGHT, BOTTOM = 48, 30, 14, 48


@dataclass(frozen=True)
class _Budgets:
    """What a search is given less of, and how it is written."""

    label: str
    unit: float
    log: bool

    def text(self, at: float) -> str:
        return f"{at * self.unit:,.0f}" if self.log else f"{at * self.unit:.2g}"


QUERIES: Final = _Budgets("queries", 1.0, log=True)
CHANGE: Final = _Budgets("change, in levels of 255", 255.0, log=False)


@dataclass(frozen=True)
class _Point:
    at: float
    gain: Interval


@dataclass(frozen=True)
class _Curve:
    entrant: Entrant
    points: tuple[_Point, ...]


def query_curves(arena: Arena) -> Figure | None:
    """Gain over the queries that a black-box attack was allowed, at the attack's focus; None without such an attack."""
    return _figure(
        arena,
        lambda trial: not _took_gradients(trial),
        "query-curves",
        "What each query buys",
        "Mean gain after so many model calls per image, of the same search stopped earlier "
        f"({arena.pushed}). An attacker without gradients pays for every step to the right.",
        QUERIES,
    )


def change_curves(arena: Arena) -> Figure | None:
    """Gain over the change that an attack of least distortion made; None without one."""
    return _figure(
        arena,
        _took_gradients,
        "change-curves",
        "The least change that does it",
        f"Mean gain of the best image within so large a root mean square change (at most {arena.pushed}).",
        CHANGE,
    )


def _took_gradients(trial: Trial) -> bool:
    return any(row.backwards for row in trial.moved.view.rows)


def _figure(
    arena: Arena, wanted: Callable[[Trial], bool], name: str, title: str, text: str, budgets: _Budgets
) -> Figure | None:
    found = {attack: _curves(arena, attack, wanted) for attack in arena.attacks}
    found = {attack: curves for attack, curves in found.items() if curves}
    if not found:
        return None
    ends = [v for curves in found.values() for c in curves for p in c.points for v in (p.gain.lo, p.gain.hi, 0.0)]
    y = fitted(ends, HEIGHT - BOTTOM, TOP)
    shown = {curve.entrant for curves in found.values() for curve in curves}
    panels = tuple(_panel(arena.panel_title(attack), curves, y, budgets) for attack, curves in found.items())
    legend = tuple(Key(entrant.label, entrant.style) for entrant in arena.ranked if entrant in shown)
    return Figure(name, title, (text,), panels, legend, _table(found, budgets))


def _curves(arena: Arena, attack: str, wanted: Callable[[Trial], bool]) -> list[_Curve]:
    curves, budget = [], arena.focus_of(attack)
    for entrant in arena.ranked:
        worst = most_moved(arena.of(entrant, budget, attack))
        if worst is not None and wanted(worst):
            points = _points(worst)
            curves += [_Curve(entrant, points)] if points else []
    return curves


def _points(trial: Trial) -> tuple[_Point, ...]:
    view = trial.moved.view
    rows = [row for row in view.rows if row.status == "ok"]
    budgets = sorted({at for row in rows for at, _ in row.curve})
    if len(budgets) < 2:
        return ()
    signs = dict(zip((row.id for row in view.rows), view.signs * view.orientation, strict=True))
    resamples = Resamples.draw([row.reference for row in rows])
    found = []
    for at in budgets:
        gains = [signs[row.id] * (_score(row, at) - (row.clean or 0.0)) / view.width for row in rows]
        found.append(_Point(at, bootstrap_mean(resamples, np.array(gains)).interval()))
    return tuple(found)


def _score(row: SampleRow, at: float) -> float:
    """The score at a budget; a search that ended before keeps what it had: its final one."""
    return dict(row.curve).get(at, row.attacked or 0.0)


def _panel(attack: str, curves: Sequence[_Curve], y: Scale, budgets: _Budgets) -> Panel:
    known = sorted({p.at for curve in curves for p in curve.points})
    x = Scale(known[0] / 1.2 if budgets.log else 0.0, known[-1] * 1.2, LEFT, WIDTH - RIGHT, log=budgets.log)
    frame = Frame(x, y)
    ticks = [Tick(at, budgets.text(at)) for at in known]
    axes, texts = frame.drawn(budgets.label, "mean gain", ticks, y.ticks())
    shapes = [*axes]
    for curve in curves:
        upper = [frame.at(p.at, p.gain.hi) for p in curve.points]
        lower = [frame.at(p.at, p.gain.lo) for p in curve.points]
        shapes.append(Shape(band(upper, lower), f"band {curve.entrant.style.tint}"))
    for curve in curves:
        points = [frame.at(p.at, p.gain.estimate) for p in curve.points]
        shapes.append(Shape(polyline(points), f"line {curve.entrant.style.css}"))
        for (px, py), point in zip(points, curve.points, strict=True):
            told = f"{curve.entrant.label}, {budgets.text(point.at)}: {number(point.gain.estimate)}"
            shapes.append(Shape(curve.entrant.style.marker(px, py), f"dot {curve.entrant.style.tint}", told))
    parts = [f"{c.entrant.label} {number(c.points[-1].gain.estimate, 2)} at the last" for c in curves]
    return Panel(attack, f"Mean gain over {budgets.label} of {attack}: {'; '.join(parts)}.", tuple(shapes), texts)


def _table(found: dict[str, list[_Curve]], budgets: _Budgets) -> Table:
    rows = [
        (
            Cell(curve.entrant.label),
            Cell(attack),
            Cell(budgets.text(point.at), sort_key(point.at), "number"),
            figure(point.gain.estimate),
            Cell(f"[{number(point.gain.lo)}, {number(point.gain.hi)}]"),
        )
        for attack, curves in found.items()
        for curve in curves
        for point in curve.points
    ]
    columns = ("metric", "attack", budgets.label, "mean gain", "95 % interval")
    return Table("Mean gain at smaller budgets", columns, tuple(rows))
