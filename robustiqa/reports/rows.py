"""One row per cell and direction: the numbers of the report, with their intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import Cell, SampleRow
from robustiqa.reports.compose import View, quality_of, views
from robustiqa.reports.flags import flags_of
from robustiqa.statistics import (
    ZERO_RANGE,
    Bootstrapped,
    Interval,
    Mode,
    Resamples,
    bootstrap_mean,
    bootstrap_srocc,
    gain_raw,
    robust_range,
    srocc_within_type,
)

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval clustered by reference and, beside it, the i.i.d. one."""

    clustered: Interval
    iid: Interval

    @property
    def value(self) -> float:
        return self.clustered.estimate


@dataclass(frozen=True)
class _Draws:
    """The resamples of a row: the same for every row of the same samples, since they are drawn from one seed."""

    clustered: Resamples
    iid: Resamples

    @classmethod
    def of(cls, references: Sequence[str], seed: int) -> "_Draws":
        modes: tuple[Mode, Mode] = ("cluster", "iid")
        return cls(*(Resamples.draw(references, mode=mode, seed=seed) for mode in modes))

    def estimate(self, statistic: Callable[[Resamples], Bootstrapped]) -> Estimate:
        return Estimate(statistic(self.clustered).interval(), statistic(self.iid).interval())


@dataclass(frozen=True)
class Row:
    """A cell in one direction. Gains are positive where the attacker succeeded.

    Attributes:
        srocc_clean, srocc_attacked: signed, between model quality and human quality, of the images as attacked.
        srocc_whole: clean, of the uncropped images, to which the human scores belong; None where nothing was cropped.
        srocc_within_type: mean over distortion types with enough samples, clean.
        gain: mean change of quality in the attacked direction over the calibration range; ``gain_raw`` is native.
        gain_8bit: the same after rounding the images to 8 bits.
        ssim: mean SSIM between attacked and un-attacked distorted images.
        forwards, backwards, seconds: means per sample.
    """

    view: View
    n: int
    n_excluded: int
    srocc_clean: Estimate
    srocc_attacked: Estimate
    srocc_whole: Estimate | None
    srocc_within_type: float
    gain: Estimate
    gain_raw: float
    gain_8bit: float
    ssim: float
    forwards: float
    backwards: float
    seconds: float
    flags: tuple[str, ...]


def make_rows(cells: Iterable[Cell], directions: Sequence[str] = (), seed: int = 0) -> list[Row]:
    """Rows of all cells, sorted; ``directions`` restricts them (empty: every direction that is complete)."""
    chosen = [view for view in views(cells) if not directions or view.direction in directions]
    return [_row(view, seed) for view in sorted(chosen, key=_order)]


def _order(view: View) -> tuple[str, ...]:
    spec = view.spec
    attack = "" if spec.attack is None else spec.attack.label
    defense = "" if spec.defense is None else spec.defense.label
    rank = str(["up", "tomean", "down", "random"].index(view.direction))
    return (spec.dataset.name, spec.model.name, defense, attack, f"{spec.eps:.6f}", spec.threat, rank)


def _row(view: View, seed: int) -> Row:
    keep = np.array([row.status == "ok" for row in view.rows])
    rows = [row for row in view.rows if row.status == "ok"]
    human = np.array([row.quality for row in rows])
    clean, attacked, rounded = (view.quality(name)[keep] for name in ("clean", "attacked", "attacked_8bit"))
    signs = view.signs[keep]
    unit = robust_range(quality_of([r for r in view.calibration if r.status == "ok"], "clean", view.orientation))
    width = unit.width if unit.is_usable else np.nan
    draws = _Draws.of([row.reference for row in rows], seed)
    raw = gain_raw(clean, attacked, signs)
    gain = draws.estimate(lambda resamples: bootstrap_mean(resamples, raw / width))
    srocc_clean = draws.estimate(lambda resamples: bootstrap_srocc(resamples, human, clean))
    srocc_attacked = draws.estimate(lambda resamples: bootstrap_srocc(resamples, human, attacked))
    seen = {flag for e in (gain, srocc_clean, srocc_attacked) for flag in e.clustered.flags}
    zero = {ZERO_RANGE} if not unit.is_usable else set()
    return Row(
        view=view,
        n=len(rows),
        n_excluded=len(view.rows) - len(rows),
        srocc_clean=srocc_clean,
        srocc_attacked=srocc_attacked,
        srocc_whole=_whole(view, draws, rows, human),
        srocc_within_type=srocc_within_type(human, clean, [row.distortion for row in rows]).mean,
        gain=gain,
        gain_raw=float(raw.mean()),
        gain_8bit=float((gain_raw(clean, rounded, signs) / width).mean()),
        ssim=float(np.mean([row.ssim for row in rows])),
        forwards=float(np.mean([row.forwards for row in rows])),
        backwards=float(np.mean([row.backwards for row in rows])),
        seconds=float(np.mean([row.seconds for row in rows])),
        flags=tuple(sorted({*flags_of(view), *seen, *zero})),
    )


def _whole(view: View, draws: _Draws, rows: Sequence[SampleRow], human: Vector) -> Estimate | None:
    whole = [view.whole.get(row.id) for row in rows]
    scored = [row for row in whole if row is not None and row.status == "ok"]
    if not scored or len(scored) < len(rows):
        return None
    scores = quality_of(scored, "clean", view.orientation)
    return draws.estimate(lambda resamples: bootstrap_srocc(resamples, human, scores))
