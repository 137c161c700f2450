"""How series are told apart: colours that colour-blind readers can separate, shapes and dashes beside them."""

import math
from dataclasses import dataclass
from typing import Final

COLOURS: Final = 7  # in light.css and dark.css
DASHES: Final = 4  # in chart.css
POLYGONS: Final = {1: (4, 45), 2: (3, -90), 3: (4, 0), 4: (3, 90), 5: (6, 0)}  # shape: corners, degrees of the first
SHAPES: Final = 1 + len(POLYGONS)


@dataclass(frozen=True)
class Style:
    """Numbers of a colour, a marker's shape and a dash."""

    colour: int = 0
    shape: int = 0
    dash: int = 0

    @property
    def css(self) -> str:
        """Classes of a line of this series."""
        return f"c{self.colour % COLOURS} dash{self.dash % DASHES}"

    @property
    def tint(self) -> str:
        """The class of whatever of this series is not a line."""
        return f"c{self.colour % COLOURS}"

    def marker(self, x: float, y: float, radius: float = 4.0) -> str:
        """The path of this series' marker around a point."""
        return marker(self.shape, x, y, radius)


def marker(shape: int, x: float, y: float, radius: float) -> str:
    """The path of a disc (shape 0) or polygon of about the same area."""
    if shape % SHAPES == 0:
        r = round(radius * 0.95, 1)  # the diameter must be twice what is written, or the disc is none
        half, whole = pixels(r), pixels(2 * r)
        return f"M{pixels(x - r)} {pixels(y)}a{half} {half} 0 1 0 {whole} 0a{half} {half} 0 1 0 -{whole} 0Z"
    corners, first = POLYGONS[shape % SHAPES]
    size = radius * {3: 1.35, 4: 1.25, 6: 1.1}[corners]
    angles = [math.radians(first + 360 * k / corners) for k in range(corners)]
    points = [f"{pixels(x + size * math.cos(a))} {pixels(y + size * math.sin(a))}" for a in angles]
    return f"M{'L'.join(points)}Z"


def pixels(value: float) -> str:
    """A coordinate with one decimal: equal charts have equal texts."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
