"""One row per cell and direction: the numbers of the report, with their intervals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import Cell, SampleRow
from robustiqa.reports.compose import View, quality_of, views
from robustiqa.reports.conditions import budget_text, threat_text
from robustiqa.reports.crosschecks import cross_flags
from robustiqa.reports.draws import Deck, Draws, Estimate
from robustiqa.reports.flags import dead_share, flags_of
from robustiqa.reports.ir import DomainChoice, IRResult, ir_results
from robustiqa.reports.scores import Scores, scores_of_view
from robustiqa.statistics import (
    ZERO_RANGE,
    Bootstrapped,
    Resamples,
    bootstrap_mean,
    bootstrap_sroccs,
    gain_raw,
    srocc_within_type,
)

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A cell in one direction. Gains are positive where the attacker succeeded.

    Attributes:
        srocc_clean, srocc_attacked: signed, between model quality and human quality, of the images as attacked.
        srocc_drop: clean minus attacked, paired.
        srocc_whole: clean, of the uncropped images, to which the human scores belong; None where nothing was cropped.
        srocc_within_type: mean over distortion types with enough samples, clean.
        gain: mean change of quality in the attacked direction over the calibration range; ``gain_raw`` is native.
        gain_8bit: the same after rounding the images to 8 bits.
        ssim: mean SSIM between attacked and un-attacked distorted images.
        forwards, backwards, seconds: means per sample.
        dead_share: share of the gradients that were zero everywhere or not finite.
        eps: mean radius over the samples, which differs between them where the cell is calibrated.
        judged: mean score that each judge gave the 8-bit adversarial against the un-attacked image, native units.
        scores: scores of the literature.
        ir: the IR-Score over all ε of a defended model; None for an undefended one, or where that was not attacked
            alike.
    """

    view: View
    n: int
    n_excluded: int
    srocc_clean: Estimate
    srocc_attacked: Estimate
    srocc_drop: Estimate
    srocc_whole: Estimate | None
    srocc_within_type: float
    gain: Estimate
    gain_raw: float
    gain_8bit: float
    ssim: float
    forwards: float
    backwards: float
    seconds: float
    dead_share: float
    eps: float
    judged: Mapping[str, float]
    flags: tuple[str, ...]
    scores: Scores
    ir: IRResult | None


def make_rows(
    cells: Iterable[Cell], directions: Sequence[str] = (), seed: int = 0, domain: DomainChoice | None = None
) -> list[Row]:
    """Rows of all cells, sorted; ``directions`` restricts them (empty: every direction that is complete).

    Args:
        domain: where scores are mapped to for IR-Scores; None: the exact map to human scores.

    Raises:
        InvalidInput: a domain or target that the cells do not have.
    """
    every = sorted_views(cells)
    chosen = [
        (view, crossed)
        for view, crossed in zip(every, cross_flags(every), strict=True)
        if not directions or view.direction in directions
    ]
    deck = Deck(seed)
    irs = ir_results([view for view, _ in chosen], domain or DomainChoice(), deck)
    return [_row(view, crossed, deck, ir) for (view, crossed), ir in zip(chosen, irs, strict=True)]


def sorted_views(cells: Iterable[Cell]) -> list[View]:
    """All views of the cells, in the order of reports."""
    return sorted(views(cells), key=_order)


def _order(view: View) -> tuple[str, ...]:
    spec = view.spec
    attack = "" if spec.attack is None else spec.attack.label
    defense = "" if spec.defense is None else spec.defense.label
    rank = str(["up", "tomean", "down", "random"].index(view.direction))
    what = (spec.dataset.name, spec.model.name, defense, attack)
    return (*what, f"{spec.eps:.6f}", budget_text(spec), threat_text(spec), *sorted(view.keys), rank)


def _row(view: View, crossed: AbstractSet[str], deck: Deck, ir: IRResult | None = None) -> Row:
    keep = np.array([row.status == "ok" for row in view.rows], dtype=bool)
    rows = [row for row in view.rows if row.status == "ok"]
    human = np.array([row.quality for row in rows])
    clean, attacked, rounded = (view.quality(name)[keep] for name in ("clean", "attacked", "attacked_8bit"))
    signs = view.signs[keep]
    width = view.width
    draws = deck.draws(row.reference for row in rows)
    raw = gain_raw(clean, attacked, signs)
    gain = draws.estimate(lambda resamples: bootstrap_mean(resamples, raw / width))


    def sroccs(resamples: Resamples) -> list[Bootstrapped]:
        before, after = bootstrap_sroccs(resamples, human, [clean, attacked])
        return [before, after, before - after]

    srocc_clean, srocc_attacked, srocc_drop = draws.estimates(3, sroccs)
    seen = {flag for e in (gain, srocc_clean, srocc_attacked) for flag in e.clustered.flags}
    zero = {ZERO_RANGE} if math.isnan(width) else set()
    partial = set() if ir is None else set(ir.flags)
    return Row(
        view=view,
        n=len(rows),
        n_excluded=len(view.rows) - len(rows),
        srocc_clean=srocc_clean,
        srocc_attacked=srocc_attacked,
        srocc_drop=srocc_drop,
        srocc_whole=_whole(view, draws, rows, human),
        srocc_within_type=srocc_within_type(human, clean, [r.distortion for r in rows]).mean if rows else math.nan,
        gain=gain,
        gain_raw=_mean(raw),
        gain_8bit=_mean(gain_raw(clean, rounded, signs) / width),
        ssim=_mean(math.nan if row.ssim is None else row.ssim for row in rows),
        forwards=_mean(row.forwards for row in rows),
        backwards=_mean(row.backwards for row in rows),
        seconds=_mean(row.seconds for row in rows),
        dead_share=dead_share(view),
        eps=_radius(view, rows),
        judged=_judged(rows),
        flags=tuple(sorted({*flags_of(view), *crossed, *seen, *zero, *partial})),
        scores=scores_of_view(view),
        ir=ir,
    )


def _mean(values: Iterable[float]) -> float:
    numbers = np.fromiter(values, dtype=np.float64)
    return float(numbers.mean()) if numbers.size else math.nan


def _radius(view: View, rows: Sequence[SampleRow]) -> float:
    found = [row.eps for row in rows if row.eps is not None]
    return view.spec.eps if view.spec.calibrate is None else _mean(found)


def _judged(rows: Sequence[SampleRow]) -> dict[str, float]:
    """Means of what every judge said that spoke of all samples."""
    names = sorted({name for row in rows for name in row.judged})
    words = {name: [row.judged.get(name) for row in rows] for name in names}
    return {name: _mean(math.nan if word is None else word for word in said) for name, said in words.items()}


def _whole(view: View, draws: Draws, rows: Sequence[SampleRow], human: Vector) -> Estimate | None:
    whole = [view.whole.get(row.id) for row in rows]
    scored = [row for row in whole if row is not None and row.status == "ok"]
    if not scored or len(scored) < len(rows):
        return None
    scores = quality_of(scored, "clean", view.orientation)
    return draws.srocc(human, scores)
