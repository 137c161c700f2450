"""IR-Scores: what a defense takes from the attacker, over ε and in a domain that all models share (eq. 8)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from robustiqa.reports.html.arena import Arena, Entrant, Trial
from robustiqa.reports.html.axes import Scale, Tick, fitted
from robustiqa.reports.html.drawing import HEIGHT, WIDTH, Figure, Frame, Key, Panel, Shape, polyline
from robustiqa.reports.html.styles import Style
from robustiqa.reports.html.tables import Cell, Table, estimate, number
from robustiqa.reports.ir import IRResult
from robustiqa.reports.render import eps_text

LEFT, TOP, RIGHT, BOTTOM = 48, 30, 14, 48
READING: Final = (
    ("G: mean change of the score in the attacked direction, mapped to one scale for all metrics by optimal transport. "
     "Solid: the metric alone; dashed: behind its defense."),
    "IR-Score: the mean distance between the two curves. Above 0 the defense helps.",
)


class _Pair(NamedTuple):
    """A defended entrant under an attack, its undefended model's style, and the score."""

    entrant: Entrant
    base: Entrant
    trial: Trial
    result: IRResult


def ir_scores(arena: Arena) -> Figure | None:
    """A panel per model, attack and threat; None where no defended model was attacked as its undefended one was."""
    pairs = list(_pairs(arena).values())
    if not pairs:
        return None
    y = fitted([0.0, *(g for pair in pairs for side in _sides(pair) for _, g in side[1])], HEIGHT - BOTTOM, TOP)
    panels: dict[str, list[_Pair]] = {}
    for pair in pairs:
        panels.setdefault(f"{pair.base.label} · {pair.trial.attack} · {pair.trial.threat}", []).append(pair)
    shown = dict.fromkeys(entrant for pair in pairs for entrant in (pair.base, pair.entrant))
    return Figure(
        "ir-scores",
        "What the defense takes from the attacker",
        READING,
        tuple(_panel(title, own, y) for title, own in panels.items()),
        tuple(Key(entrant.label, entrant.style) for entrant in shown),
        _table(pairs),
    )


def _pairs(arena: Arena) -> dict[IRResult, _Pair]:
    """One for each result, which trials that differ in ε share."""
    bases = {(e.model, e.weights): e for e in arena.entrants if not e.defense}
    found: dict[IRResult, _Pair] = {}
    for trial in arena.trials:
        base, result = bases.get((trial.entrant.model, trial.entrant.weights)), trial.moved.ir
        if base is not None and result is not None and not trial.carried:
            found.setdefault(result, _Pair(trial.entrant, base, trial, result))
    return found


def _sides(pair: _Pair) -> tuple[tuple[Style, tuple[tuple[float, float], ...], str], ...]:
    """The two curves of a pair from (0, 0), with their style and whose they are."""
    start = ((0.0, 0.0),)
    return (
        (pair.base.style, (*start, *pair.result.base.curve), pair.base.label),
        (pair.entrant.style, (*start, *pair.result.defended.curve), pair.entrant.label),
    )


def _panel(title: str, pairs: Sequence[_Pair], y: Scale) -> Panel:
    eps = sorted({at for pair in pairs for at in pair.result.base.eps})
    frame = Frame(Scale(0.0, eps[-1] * 1.04, LEFT, WIDTH - RIGHT), y)
    ticks = [Tick(at, f"{at * 255:.3g}") for at in (0.0, *eps)]
    axes, texts = frame.drawn("ε in levels of 255", "G", ticks, y.ticks())
    sides = list(dict.fromkeys(side for pair in pairs for side in _sides(pair)))
    lines = [Shape(polyline(frame.at(*point) for point in curve), f"line {style.css}") for style, curve, _ in sides]
    dots = [
        Shape(style.marker(*frame.at(at, g)), f"dot {style.tint}", f"{label}, ε = {eps_text(at)}: {number(g)}")
        for style, curve, label in sides
        for at, g in curve[1:]
    ]
    parts = [f"{pair.entrant.label} {number(pair.result.score.value)}" for pair in pairs]
    return Panel(title, f"G over ε, {title}. IR-Score: {'; '.join(parts)}.", (*axes, *lines, *dots), texts)


def _table(pairs: Sequence[_Pair]) -> Table:
    rows = [
        (
            Cell(pair.entrant.label),
            Cell(pair.trial.attack, detail=pair.trial.threat),
            Cell(", ".join(f"{at * 255:.3g}" for at in pair.result.base.eps)),
            estimate(pair.result.g_base),
            estimate(pair.result.g_defended),
            estimate(pair.result.score),
            estimate(pair.result.ratio),
        )
        for pair in pairs
    ]
    columns = ("metric", "attack", "ε, of 255", "G alone ↓", "G defended ↓", "IR-Score ↑", "1 − defended / alone ↑")
    return Table("IR-Scores with 95 % intervals", columns, tuple(rows))
