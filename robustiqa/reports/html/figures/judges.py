"""Is the score moved while the picture is still fine? Gain against what other metrics say of the attacked image."""

from collections.abc import Mapping
from typing import Final

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.models import MODELS, model_info
from robustiqa.reports.html.arena import Arena, Trial, most_moved
from robustiqa.reports.html.axes import Scale, fitted
from robustiqa.reports.html.drawing import HEIGHT, WIDTH, Figure, Frame, Key, Panel, Shape, Text
from robustiqa.reports.html.styles import pixels

MOST, POINTS = 12, 250
LEFT, TOP, RIGHT, BOTTOM = 48, 30, 14, 48
READING: Final = (
    "Up: the score was moved. Right: to the judge, the attacked image looks like the un-attacked one.",
    "Top right the metric was fooled. Top left the image itself changed, and the metric may be right to say so.",
)


def judgements(row: SampleRow) -> Mapping[str, float]:
    """What judges say of the attacked image against the un-attacked one, by the judge's name among the models.

    SSIM is always there where the image is large enough for it.
    """
    usual = {} if row.ssim is None else {"ssim": row.ssim}
    return usual | {name: said for name, said in row.judged.items() if said is not None}


def judged(arena: Arena) -> Figure | None:
    """The figure at the focus budget, a panel per judge; None where no row holds a judgement."""
    worst = [most_moved(arena.of(entrant, arena.focus)) for entrant in arena.ranked[:MOST]]
    trials = [trial for trial in worst if trial is not None]
    judges = sorted({name for t in trials for row in t.moved.view.rows for name in judgements(row)})
    if not judges:
        return None
    return Figure(
        "gain-and-judges",
        "Fooled, or truly changed?",
        (f"Each mark is an image, under its metric’s worst attack at {arena.pushed}.", *READING),
        tuple(_panel(name, trials) for name in judges),
        tuple(Key(trial.entrant.label, trial.entrant.style, line=False) for trial in trials),
    )


def _panel(judge: str, trials: list[Trial]) -> Panel:
    points = {trial: _points(trial, judge) for trial in trials}
    values = [point for found in points.values() for point in found]
    x = fitted([alike for alike, _ in values], LEFT, WIDTH - RIGHT)
    y = fitted([0.0, *(gain for _, gain in values)], HEIGHT - BOTTOM, TOP)
    if judge in MODELS.names() and model_info(judge).lower_better:
        x = Scale(x.high, x.low, x.start, x.end)
    frame = Frame(x, y)
    ticks = fitted([x.low, x.high], 0, 1).ticks()
    axes, texts = frame.drawn(f"{judge} of attacked to un-attacked image", "gain", ticks, y.ticks())
    clouds = [_cloud(frame, trial, found) for trial, found in points.items()]
    corner = Text(pixels(x.end), pixels(y.end - 11), "score moved, picture alike", "end", "corner")
    told = f"Gain against {judge} of attacked to un-attacked image: {len(values)} images, {len(trials)} metrics."
    return Panel(judge, told, (*axes, *clouds), (*texts, corner))


def _points(trial: Trial, judge: str) -> list[tuple[float, float]]:
    view = trial.moved.view
    gains = view.gains()
    known = [(judgements(row)[judge], gains[row.id] / view.width) for row in view.rows
             if row.id in gains and judge in judgements(row)]  # fmt: skip
    return known[:: -(-len(known) // POINTS) or 1]


def _cloud(frame: Frame, trial: Trial, points: list[tuple[float, float]]) -> Shape:
    marks = (trial.entrant.style.marker(*frame.at(alike, gain), 3.0) for alike, gain in points)
    return Shape("".join(marks), f"cloud {trial.entrant.style.tint}")
