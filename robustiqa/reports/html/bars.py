"""Numbers with their intervals, drawn to the scale of their column in the leaderboard."""

import math
from collections.abc import Sequence
from typing import Final

from robustiqa.reports.draws import Estimate
from robustiqa.reports.html.axes import Scale, fitted
from robustiqa.reports.html.drawing import Panel, Shape, Text
from robustiqa.reports.html.styles import Style, pixels
from robustiqa.reports.html.tables import estimate_text, number, range_text

WIDTH, HEIGHT, AXIS, PAD = 260, 26, 30, 16
MIDDLE: Final = HEIGHT / 2
TICKS: Final = 4


def scale_of(estimates: Sequence[Estimate], include: Sequence[float]) -> Scale:
    """The scale that holds all estimates with their intervals, and the values of ``include``."""
    ends = [v for e in estimates for v in (e.value, e.clustered.lo, e.clustered.hi)]
    return fitted([*ends, *include], PAD, WIDTH - PAD, TICKS)


def axis(scale: Scale) -> Panel:
    """The head of a column of bars."""
    ticks = scale.ticks(TICKS)
    shapes = [Shape(f"M{pixels(scale(t.value))} {AXIS - 6}v6", "axis") for t in ticks]
    texts = tuple(Text(pixels(scale(t.value)), str(AXIS - 11), t.text) for t in ticks)
    return Panel("", "", tuple(shapes), texts, WIDTH, AXIS)


def whisker(style: Style, scale: Scale, value: Estimate) -> Panel:
    """A filled mark at the estimate, on its interval."""
    return _panel(estimate_text(value), [*_grid(scale), *_filled(style, scale, value)])


def dumbbell(style: Style, scale: Scale, before: Estimate, after: Estimate) -> Panel:
    """A hollow mark before, a filled one after the attack with its interval, and what was lost between them."""
    shapes = _grid(scale)
    start, end = before.value, after.value
    if math.isfinite(start) and math.isfinite(end):
        lost = f"M{pixels(scale(start))} {pixels(MIDDLE)}H{pixels(scale(end))}"
        shapes.append(Shape(lost, f"lost {style.tint}"))
    shapes += _filled(style, scale, after)
    if math.isfinite(start):
        path = style.marker(scale(start), MIDDLE, 4.5)
        shapes.append(Shape(path, f"hollow {style.tint}", f"before: {estimate_text(before)}"))
    return _panel(f"from {number(start)} to {estimate_text(after)}", shapes)


def _filled(style: Style, scale: Scale, value: Estimate) -> list[Shape]:
    if not math.isfinite(value.value):
        return []
    mark = Shape(style.marker(scale(value.value), MIDDLE, 5.0), f"dot {style.tint}", estimate_text(value))
    lo, hi = value.clustered.lo, value.clustered.hi
    if not math.isfinite(lo):
        return [mark]
    line = f"M{pixels(scale(lo))} {pixels(MIDDLE)}H{pixels(scale(hi))}"
    return [Shape(line, f"interval {style.tint}", range_text(value)), mark]


def _grid(scale: Scale) -> list[Shape]:
    ticks = scale.ticks(TICKS)
    return [Shape(f"M{pixels(scale(t.value))} 0V{HEIGHT}", "grid" if t.value else "zero") for t in ticks]


def _panel(description: str, shapes: Sequence[Shape]) -> Panel:
    return Panel("", description, tuple(shapes), (), WIDTH, HEIGHT)
