"""The leaderboard of a budget: each entrant under its worst attack and threat, with intervals drawn to one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robustiqa.reports.html.arena import Arena, Budget, Entrant, Trial, lowest_srocc, most_moved
from robustiqa.reports.html.axes import Scale
from robustiqa.reports.html.bars import axis, dumbbell, scale_of, whisker
from robustiqa.reports.html.drawing import Panel
from robustiqa.reports.html.flag_links import FlagBook, FlagLink
from robustiqa.reports.html.standings import Standing, standings
from robustiqa.reports.html.tables import Cell, counted, figure, number, range_text, sort_key
from robustiqa.reports.render import DASH


@dataclass(frozen=True)
class Measured:
    """A number in its cell: drawn, written, and where it comes from."""

    bar: Panel
    value: str
    interval: str
    source: str
    sort: str


@dataclass(frozen=True)
class Place:
    """A line of the leaderboard. ``first`` says that no entrant is above it; ``rank`` may be a dash."""

    entrant: Entrant
    rank: str
    first: bool
    clean: str
    srocc: Measured
    gain: Measured
    ssim: Cell
    n: Cell
    flags: tuple[FlagLink, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All entrants at one budget."""

    budget: Budget
    text: str
    srocc_axis: Panel
    gain_axis: Panel
    places: tuple[Place, ...]


def leaderboards(arena: Arena, book: FlagBook) -> list[Leaderboard]:
    """One for each budget, that of the charts first, then from large to small."""
    others = sorted((b for b in arena.budgets if b != arena.focus), reverse=True)
    found = (_leaderboard(arena, budget, book) for budget in (arena.focus, *others))
    return [board for board in found if board is not None]


def _leaderboard(arena: Arena, budget: Budget, book: FlagBook) -> Leaderboard | None:
    worst = {entrant: _worst(arena, entrant, budget) for entrant in arena.ranked}
    pairs = [(entrant, pair) for entrant, pair in worst.items() if pair is not None]
    if not pairs:
        return None
    pairs.sort(key=lambda item: _place_key(item[1][0], arena))
    srocc = scale_of([e for _, (r, _) in pairs for e in (r.ranked.srocc_clean, r.ranked.srocc_attacked)], (0.0, 1.0))
    gain = scale_of([moved.moved.gain for _, (_, moved) in pairs], (0.0,))
    found = standings([ranked for entrant, (ranked, _) in pairs if entrant not in arena.unranked])
    ranks = [*found, *[None] * (len(pairs) - len(found))]
    places = [
        _place(entrant, pair, rank, book, (srocc, gain)) for (entrant, pair), rank in zip(pairs, ranks, strict=True)
    ]
    tried = [trial for trial in arena.trials if trial.budget == budget]
    return Leaderboard(budget, _tried(tried, arena), axis(srocc), axis(gain), tuple(places))


def _place_key(trial: Trial, arena: Arena) -> tuple[bool, float]:
    return trial.entrant in arena.unranked, -trial.srocc if math.isfinite(trial.srocc) else math.inf


def _tried(tried: Sequence[Trial], arena: Arena) -> str:
    attacks = sorted({trial.attack for trial in tried})
    threats = sorted({trial.threat for trial in tried})
    many = f"the worst of {len(attacks)} attacks" if len(attacks) > 1 else f"under {attacks[0]}"
    note = " A dash for a rank: trained on these labels, so not ranked against the others." if arena.unranked else ""
    return f"{many} ({', '.join(threats)}).{note}"


def _worst(arena: Arena, entrant: Entrant, budget: Budget) -> tuple[Trial, Trial] | None:
    """The trials of the lowest SROCC and of the largest gain; where only one is defined, it stands for both."""
    trials = arena.of(entrant, budget)
    if not trials:
        return None
    ranked, moved = lowest_srocc(trials), most_moved(trials)
    return ranked or moved or trials[0], moved or ranked or trials[0]


def _place(
    entrant: Entrant, pair: tuple[Trial, Trial], rank: Standing | None, book: FlagBook, scales: tuple[Scale, Scale]
) -> Place:
    ranked, moved = pair
    before, after, gain = ranked.ranked.srocc_clean, ranked.ranked.srocc_attacked, moved.moved.gain
    return Place(
        entrant=entrant,
        rank=DASH if rank is None else rank.text,
        first=rank is not None and rank.best == 1,
        clean=number(before.value),
        srocc=Measured(
            dumbbell(entrant.style, scales[0], before, after), number(after.value), range_text(after),
            _source(ranked, ranked.ranked.view.direction), sort_key(after.value),
        ),
        gain=Measured(
            whisker(entrant.style, scales[1], gain), number(gain.value), range_text(gain),
            _source(moved, moved.moved.view.direction), sort_key(gain.value),
        ),
        ssim=figure(moved.moved.ssim),
        n=counted(ranked.ranked),
        flags=book.links(ranked.ranked, moved.moved),
    )  # fmt: skip


def _source(trial: Trial, direction: str) -> str:
    return f"{trial.attack} · {trial.threat} · {direction}"
