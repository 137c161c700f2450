"""What a page says first: the run in one line, and a few numbers that stand out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robustiqa.reports.html.arena import Arena, Budget, Trial, lowest_srocc, most_moved
from robustiqa.reports.html.standings import standings
from robustiqa.reports.html.tables import joined, number
from robustiqa.statistics import FEW_CLUSTERS
from robustiqa.statistics.resamples import MIN_CLUSTERS


def headline(arenas: Sequence[Arena]) -> str:
    """What was run, in one line."""
    if not arenas:
        return "Nothing was attacked in these results; robustiqa bench does it."
    entrants = list(dict.fromkeys(e.label for arena in arenas for e in arena.entrants))
    attacks = list(dict.fromkeys(name for arena in arenas for name in arena.attacks))
    budgets = sorted({budget for arena in arenas for budget in arena.budgets})
    return (
        f"{joined(entrants)}, attacked by {joined(attacks, 8)} at {_at(budgets)}, "
        f"on {joined([f'{arena.spec.dataset.name} ({images(arena)})' for arena in arenas])}."
    )


def _at(budgets: Sequence[Budget]) -> str:
    """``ε = 2/255 and 8/255, and at ssim=0.95``."""
    radii = joined([budget.text for budget in budgets if not budget.visibility])
    sights = joined([budget.visibility for budget in budgets if budget.visibility])
    return ", and at ".join(filter(None, (radii and f"ε = {radii}", sights)))


def images(arena: Arena) -> str:
    """How many images were attacked, such as ``42 pairs of 7 references``."""
    rows = max((trial.moved.view.rows for trial in arena.trials), key=len)
    references = len({row.reference for row in rows})
    crop = "" if arena.spec.crop is None else f", the central {arena.spec.crop} pixels"
    return f"{len(rows)} pairs of {references} reference{'s' * (references != 1)}{crop}"


@dataclass(frozen=True)
class Finding:
    """A number that stands out, and what it is."""

    value: str
    text: str


def findings(arena: Arena) -> tuple[Finding, ...]:
    """Of the focus budget: what lost its ranking, what kept it, what was moved furthest, what can be told apart."""
    trials = [trial for trial in arena.trials if trial.budget == arena.focus]
    compared = [entrant for entrant in arena.ranked if entrant not in arena.unranked]
    worst = [w for e in compared if (w := lowest_srocc(arena.of(e, arena.focus))) is not None]
    found = [_lost(worst), _kept(worst), _moved(most_moved(trials)), _separable(worst)]
    return tuple(finding for finding in found if finding is not None)


def _lost(worst: list[Trial]) -> Finding | None:
    falls = [(t.ranked.srocc_clean.value - t.srocc, t) for t in worst]
    falls = [(fall, trial) for fall, trial in falls if math.isfinite(fall)]
    if not falls:
        return None
    _, trial = max(falls, key=lambda item: item[0])
    fall = f"{number(trial.ranked.srocc_clean.value, 2)} → {number(trial.srocc, 2)}"
    return Finding(fall, f"SROCC of {trial.entrant.label} under {trial.attack}: the most ranking lost.")


def _kept(worst: list[Trial]) -> Finding | None:
    if len(worst) < 2:
        return None
    best = max(worst, key=lambda trial: trial.srocc)
    before = number(best.ranked.srocc_clean.value, 2)
    text = f"SROCC of {best.entrant.label} under its worst attack: the highest that is left ({before} before)."
    return Finding(number(best.srocc, 2), text)


def _moved(trial: Trial | None) -> Finding | None:
    if trial is None:
        return None
    alike = f"; mean SSIM to the un-attacked images {number(trial.moved.ssim, 2)}" if trial.moved.n else ""
    who = f"{trial.entrant.label} was moved by {trial.attack}"
    text = f"of its range of clean scores: so far {who}, the furthest of all{alike}."
    return Finding(number(trial.gain, 2), text)


def _separable(worst: list[Trial]) -> Finding | None:
    if len(worst) < 2:
        return None
    if any(FEW_CLUSTERS in trial.ranked.srocc_attacked.clustered.flags for trial in worst):
        count = len({row.reference for row in worst[0].ranked.view.rows})
        text = f"are too few to claim a rank, whatever the order of the table; {MIN_CLUSTERS} are needed."
        return Finding(f"{count} references", text)
    ranks = standings(worst)
    shared = sum(rank.best != rank.worst for rank in ranks)
    text = "metrics share their rank with another: the paired interval of the difference holds 0."
    return Finding(f"{shared} of {len(ranks)}", text)
