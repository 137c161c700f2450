"""The picture of a training run: its loss and, for AAT, the two panels of the BiRQA paper's Figure 6."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.reports.plots import encoded, panels
from robustiqa.training.log import read_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, str]
PANELS: Final[Mapping[str, Mapping[str, str]]] = {
    "loss of the step": {"loss": "training loss", "mse": "mean squared error", "surrogate": "surrogate of eq. (3)"},
    "anchored ranking loss, eq. (3)": {"anchored_loss": "of the batch", "anchored_average": "moving average of 20"},
    "largest error in the batch, in labels": {
        "max_error": "observed", "bound_paper": "bound of Theorem 1 as printed", "bound_corrected": "bound, corrected",
    },
    "validation": {
        "validation_srocc": "SROCC clean", "validation_attacked_srocc": "SROCC under PGD-10, tomean",
        "validation_gain": "gain of PGD-10, up",
    },
}  # fmt: skip
ANCHORED: Final = ("anchored ranking loss, eq. (3)", "largest error in the batch, in labels")
"""The panels of the paper's Figure 6."""
LOGARITHMIC: Final = ("anchored_loss", "max_error")
FEW: Final = 3  # points that a line would not show


def draw_training(log: Path, picture: Path) -> None:
    """Draw the log of a training run into ``picture`` (SVG, PNG or PDF), a panel for each group of logged figures.

    Bounds that are infinite, where a batch had no two distinct anchors, leave gaps.

    Raises:
        InvalidInput: the log holds no step.
    """
    rows = read_log(log)
    if not rows:
        raise InvalidInput(f"{log} holds no step of a training run; nothing to draw.")
    write_atomically(picture, encoded(training_figure(rows, tuple(PANELS)), picture.suffix.removeprefix(".") or "png"))


def training_figure(rows: Sequence[Row], titles: Sequence[str]) -> "Figure":
    """The panels of ``PANELS`` called ``titles``, of those that the log has figures for."""
    shown = {title: PANELS[title] for title in titles if any(_points(rows, name) for name in PANELS[title])}
    figure, places = panels(len(shown))
    for axes, (title, lines) in zip(places, shown.items(), strict=True):
        _plot(axes, rows, title, lines)
    return figure


def _plot(axes: "Axes", rows: Sequence[Row], title: str, lines: Mapping[str, str]) -> None:
    for name, label in lines.items():
        points = _points(rows, name)
        if points:
            faint = 0.35 if f"{name.removesuffix('_loss')}_average" in lines else 0.9
            axes.plot(*zip(*points, strict=True), marker="o" if len(points) <= FEW else "", alpha=faint, label=label)
    if any(name in LOGARITHMIC for name in lines):
        axes.set_yscale("symlog" if "anchored_loss" in lines else "log", **_linear_below(lines))
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.legend(fontsize=8)


def _linear_below(lines: Mapping[str, str]) -> dict[str, float]:
    """Eq. (3) is exactly 0 where a batch is in order; a logarithm would hide these steps."""
    return {"linthresh": 1e-3} if "anchored_loss" in lines else {}


def _points(rows: Sequence[Row], name: str) -> list[tuple[int, float]]:
    try:
        values = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
    except ValueError as error:
        raise InvalidInput(f"column {name} of the training log: {error}.") from error
    return [(step, value) for step, value in values if math.isfinite(value)]
