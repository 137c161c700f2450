"""What a chart is made of: shapes and texts in pixels, which the templates write as SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from robustiqa.reports.html.axes import Scale, Tick
from robustiqa.reports.html.styles import Style, pixels
from robustiqa.reports.html.tables import Table

WIDTH: Final = 400
HEIGHT: Final = 270
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Shape:
    """A path with classes of ours, and what a pointer that rests on it is told."""

    d: str
    css: str
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A text at a point; ``css`` is of ours."""

    x: str
    y: str
    text: str
    anchor: Anchor = "middle"
    css: str = "tick"


@dataclass(frozen=True)
class Panel:
    """One chart; ``description`` is what a screen reader says in its place."""

    title: str
    description: str
    shapes: tuple[Shape, ...]
    texts: tuple[Text, ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Key:
    """An entry of a legend: a series' marker on its line, or a marker alone."""

    label: str
    style: Style
    line: bool = True


@dataclass(frozen=True)
class Figure:
    """Panels under one heading, with what they show in words, and the numbers as a table where they are few."""

    name: str
    title: str
    text: tuple[str, ...]
    panels: tuple[Panel, ...]
    legend: tuple[Key, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Frame:
    """The axes of a panel: x from left to right, y from bottom to top."""

    x: Scale
    y: Scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x(x), self.y(y)

    def drawn(
        self, x_label: str, y_label: str, x_ticks: Sequence[Tick] = (), y_ticks: Sequence[Tick] = ()
    ) -> tuple[tuple[Shape, ...], tuple[Text, ...]]:
        """Grid, axis, tick labels and names of the axes."""
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        rows = [Shape(f"M{pixels(left)} {pixels(self.y(t.value))}H{pixels(right)}", "grid") for t in y_ticks]
        columns = [Shape(f"M{pixels(self.x(t.value))} {pixels(bottom)}v4", "axis") for t in x_ticks]
        base = Shape(f"M{pixels(left)} {pixels(bottom)}H{pixels(right)}", "axis")
        texts = [Text(pixels(self.x(t.value)), pixels(bottom + 17), t.text) for t in x_ticks]
        texts += [Text(pixels(left - 7), pixels(self.y(t.value) + 4), t.text, "end") for t in y_ticks]
        names = (
            Text(pixels((left + right) / 2), pixels(bottom + 35), x_label, css="name"),
            Text(pixels(2), pixels(top - 11), y_label, "start", css="name"),
        )
        return (*rows, *columns, base), (*texts, *(name for name in names if name.text))


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """The path through points in pixels."""
    return "M" + "L".join(f"{pixels(x)} {pixels(y)}" for x, y in points)


def band(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]]) -> str:
    """The path around what lies between two lines."""
    return f"{polyline([*upper, *reversed(lower)])}Z"
