"""The images that were moved most, to be looked at: reference, distorted, adversarial, and what was added."""

import base64
import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.reports.compose import View, quality_of
from robustiqa.reports.html.arena import Arena, Entrant, Trial, most_moved
from robustiqa.reports.html.axes import fitted, signed
from robustiqa.reports.html.drawing import Panel, Shape
from robustiqa.reports.html.pictures import Pictures, Pixels
from robustiqa.reports.html.styles import pixels
from robustiqa.reports.html.tables import number
from robustiqa.statistics import robust_range

WINDOW: Final = 128  # pixels a side that are shown, one to one: what is scaled down hides the perturbation
WIDTH, HEIGHT, PAD = 400, 22, 10


@dataclass(frozen=True, eq=False)
class Shot:
    """One attacked sample."""

    trial: Trial
    row: SampleRow

    @property
    def view(self) -> View:
        return self.trial.moved.view

    @property
    def gain(self) -> float:
        return self.view.gains()[self.row.id] / self.view.width


@dataclass(frozen=True)
class Picture:
    """An image of a card, as a data URI."""

    uri: str
    alt: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class Card:
    """A sample with its pictures; without them, ``missing`` says why."""

    entrant: Entrant
    title: str
    subtitle: str
    bar: Panel
    facts: tuple[tuple[str, str], ...]
    pictures: tuple[Picture, ...] = ()
    missing: str = ""


def shots(arenas: Sequence[Arena], count: int) -> list[Shot]:
    """The most-moved samples of every entrant's worst attack, in turn; each image and each of its references once."""
    queues = [queue for arena in arenas for entrant in arena.ranked if (queue := list(_queue(arena, entrant)))]
    chosen: list[Shot] = []
    taken: set[tuple[object, ...]] = set()
    for queue in itertools.cycle(queues):
        if len(chosen) == count or not any(queues):
            break
        while queue:
            shot = queue.pop(0)
            marks = {(shot.trial.entrant, shot.row.reference), (shot.view.spec.dataset.manifest, shot.row.id)}
            if not marks & taken:
                taken |= marks
                chosen.append(shot)
                break
    return sorted(chosen, key=lambda shot: (-shot.gain, shot.trial.entrant.label, shot.row.id))


def _queue(arena: Arena, entrant: Entrant) -> Iterator[Shot]:
    worst = most_moved(arena.of(entrant, arena.focus))
    if worst is None:
        return
    gains = worst.moved.view.gains()
    rows = [row for row in worst.moved.view.rows if row.id in gains]
    yield from (Shot(worst, row) for row in sorted(rows, key=lambda row: (-gains[row.id], row.id)))


def card(shot: Shot, found: Pictures | str) -> Card:
    """The card of a shot, with its pictures or with the reason why there are none."""
    view, row = shot.view, shot.row
    return Card(
        entrant=shot.trial.entrant,
        title=f"{shot.trial.entrant.label}: gain {number(shot.gain, 2)}",
        subtitle=f"{row.id} · {row.distortion} · {shot.trial.attack}, {_budget(shot)}, {view.direction}",
        bar=_bar(shot),
        facts=_facts(view, row),
        pictures=() if isinstance(found, str) else tuple(_pictures(shot, found)),
        missing=found if isinstance(found, str) else "",
    )


def _budget(shot: Shot) -> str:
    """The budget; where each image has an ε of its own, with that."""
    own = "" if shot.row.eps is None else f" (ε = {shot.row.eps * 255:.3g}/255)"
    return f"{shot.trial.budget.title}{own}"


def _facts(view: View, row: SampleRow) -> tuple[tuple[str, str], ...]:
    unit = "lower is better" if view.spec.model.lower_better else "higher is better"
    scores = f"{_score(row.clean)} → {_score(row.attacked)} ({_score(row.attacked_8bit)} in 8 bits)"
    mean = view.spec.dataset.mean_quality
    human = f"{number(row.quality, 2)} (the dataset’s mean is {number(mean, 2)}; higher is better)"
    change = f"SSIM {number(math.nan if row.ssim is None else row.ssim)}, PSNR {_psnr(row.psnr)}"
    return (
        (f"score, {unit}", scores),
        ("human score", human),
        ("adversarial to distorted", change),
        *((("to other metrics", ", ".join(_judged(row))),) if row.judged else ()),
        ("cost", f"{row.forwards} forwards, {row.backwards} backwards"),
    )


def _judged(row: SampleRow) -> Iterator[str]:
    """What judges say of the adversarial beside the distorted image, in their own units."""
    return (f"{name} {_score(said)}" for name, said in sorted(row.judged.items()))


def _score(value: float | None) -> str:
    return "—" if value is None else signed(f"{value:.4g}")


def _psnr(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} dB"


def _bar(shot: Shot) -> Panel:
    """Where the score was and where it went, on the metric's range of clean scores; better is to the right."""
    view, row, style = shot.view, shot.row, shot.trial.entrant.style
    before, after = (float(quality_of([row], field, view.orientation)[0]) for field in ("clean", "attacked"))
    unit = robust_range(quality_of([r for r in view.calibration if r.status == "ok"], "clean", view.orientation))
    scale = fitted([before, after, unit.q01, unit.q99], PAD, WIDTH - PAD, 6)
    middle = pixels(HEIGHT / 2)
    shapes = (
        Shape(f"M{pixels(scale(unit.q01))} {middle}H{pixels(scale(unit.q99))}", "range", "q01 to q99 of clean scores"),
        Shape(f"M{pixels(scale(before))} {middle}H{pixels(scale(after))}", f"move {style.tint}"),
        Shape(style.marker(scale(before), HEIGHT / 2, 4.5), f"hollow {style.tint}", f"before: {_score(row.clean)}"),
        Shape(style.marker(scale(after), HEIGHT / 2, 5.0), f"dot {style.tint}", f"after: {_score(row.attacked)}"),
    )
    told = f"Score from {_score(row.clean)} to {_score(row.attacked)}; better is to the right."
    return Panel("", told, shapes, (), WIDTH, HEIGHT)


def _pictures(shot: Shot, found: Pictures) -> Iterator[Picture]:
    row = shot.row
    factor = amplification(shot.trial.budget.eps if row.eps is None else row.eps)
    difference = found.adversarial.astype(np.float64) - found.distorted
    shown = (127.5 + factor * difference).clip(0, 255).round().astype(np.uint8)
    named: Mapping[str, tuple[Pixels, str]] = {
        "reference": (found.reference, f"reference {row.reference}"),
        "distorted": (found.distorted, f"{row.reference} with {row.distortion}, before the attack"),
        "adversarial": (found.adversarial, f"the same image after {shot.trial.attack}"),
        f"difference × {factor}": (shown, f"what the attack added, {factor} times, on grey"),
    }
    for caption, (image, alt) in named.items():
        window = centre(image)
        yield Picture(_uri(window), alt, caption, window.shape[1], window.shape[0])


def amplification(eps: float) -> int:
    """How many times a change of ε fits between grey and white."""
    return max(1, math.floor(0.5 / eps + 1e-9)) if eps > 0 else 1


def centre(image: Pixels) -> Pixels:
    """The central window of an image [H, W, 3], pixel by pixel."""
    top, left = (max(0, (size - WINDOW) // 2) for size in image.shape[:2])
    return image[top : top + WINDOW, left : left + WINDOW]


def _uri(image: Pixels) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
