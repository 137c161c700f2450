"""Source x target: how far each model is moved by the images that were made against each of them."""

import math
from collections.abc import Sequence

from robustiqa.reports.html.arena import Arena, Budget, Trial
from robustiqa.reports.html.heat import HeatMap, shaded
from robustiqa.reports.html.tables import Cell, Table, number, range_text
from robustiqa.reports.render import DASH
from robustiqa.reports.transfers import Transfer, transfers


def transfer_map(arena: Arena) -> HeatMap | None:
    """At the focus, or where nothing was carried over there, at the largest budget of what was; None without any."""
    budgets = {trial.budget for trial in arena.carried}
    if not budgets:
        return None
    budget = arena.focus if arena.focus in budgets else max(budgets)
    entries = _entries(arena, budget)
    values = [value for one in entries if math.isfinite(value := one.gain.value)]
    top = max(values, default=0.0)
    targets = list(dict.fromkeys(one.target for one in entries))
    rows = dict.fromkeys((one.setting[1], one.source) for one in entries)
    table = Table(
        "Mean gain of the column’s metric on 8-bit images made against the row’s, with its 95 % interval",
        ("made against", "by", *(f"on {target}" for target in targets)),
        tuple(_row(entries, attack, source, targets, top) for attack, source in rows),
    )
    text = (
        "An attacker may have to guess which metric will judge: images made against one are scored by the others, at "
        f"{budget.title}. Framed: the attack on the metric itself. Where a column gains more elsewhere, its own "
        "attack was too weak."
    )
    ends = number(min([0.0, *values]), 2), number(top, 2)
    return HeatMap("transfers", "Do the attacks carry over?", text, table, ends)


def _entries(arena: Arena, budget: Budget) -> list[Transfer]:
    own = [trial for trial in arena.trials if not trial.carried]
    rows = [trial.moved for trial in _distinct([*own, *arena.carried]) if trial.budget == budget]
    return transfers(rows, sorted({row.view.direction for row in rows}))


def _distinct(trials: Sequence[Trial]) -> list[Trial]:
    """The first of trials that differ in the search alone."""
    found: dict[tuple[object, ...], Trial] = {}
    for trial in trials:
        found.setdefault((trial.entrant, trial.budget, trial.attack, trial.spec.threat), trial)
    return list(found.values())


def _row(
    entries: Sequence[Transfer], attack: str, source: str, targets: Sequence[str], top: float
) -> tuple[Cell, ...]:
    known = {one.target: one for one in entries if (one.setting[1], one.source) == (attack, source)}
    return Cell(source), Cell(attack), *(_cell(known.get(target), top) for target in targets)


def _cell(one: Transfer | None, top: float) -> Cell:
    if one is None:
        return Cell(DASH, "", "number")
    return shaded(one.gain.value, top, range_text(one.gain), "own" if one.own else "")
