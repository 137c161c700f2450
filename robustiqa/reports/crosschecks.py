"""What only a comparison of cells can tell: numbers of one run that contradict each other (after AutoAttack's checks).

Every comparison is of mean gains over the samples that both cells scored, and a difference counts from 1 % of the gain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, Final

from robustiqa.benchmarks.cell import canonical
from robustiqa.reports.compose import View

TOLERANCE: Final = 0.01
BUDGETS: Final = ("steps", "queries")
Found = Iterator[tuple[int, str]]
Gains = Mapping[str, float]  # by sample


def cross_flags(views: Sequence[View]) -> list[set[str]]:
    """The flags that the views raise against each other, one set per view."""
    flags: list[set[str]] = [set() for _ in views]
    own = [i for i, view in enumerate(views) if view.spec.source is None]  # no search made what was only carried over
    for check in (_black_box_stronger, _eps_not_monotone, _steps_not_monotone, _restarts_improving):
        for i, flag in check([views[i] for i in own]):
            flags[own[i]].add(flag)
    for i, flag in _transfer_stronger(views):
        flags[i].add(flag)
    return flags


def _black_box_stronger(views: Sequence[View]) -> Found:
    """On every attack that follows gradients, where one that follows none gained more than the best of them."""
    for group in _groups(views, lambda view: _setting(view, attack=None)):
        black = [i for i in group if not _follows_gradients(views[i])]
        white = [i for i in group if _follows_gradients(views[i])]
        gains = {i: views[i].gains() for i in group}
        if white and any(all(_beats(gains[b], gains[w]) for w in white) for b in black):
            yield from ((w, "black-box-stronger") for w in white)


def _transfer_stronger(views: Sequence[View]) -> Found:
    """On every attack that follows the model's gradients, where another model's 8-bit images gained more than all."""
    anything: dict[str, Any] = dict.fromkeys(("attack", "source", "threat", "eot", "max_queries", "max_seconds"))
    for group in _groups(views, lambda view: _setting(view, **anything)):
        carried = [i for i in group if views[i].spec.source is not None]
        white = [i for i in group if i not in carried and _is_white(views[i])]
        gains = {i: views[i].gains("attacked_8bit") for i in group}
        if white and any(all(_beats(gains[c], gains[w]) for w in white) for c in carried):
            yield from ((w, "transfer-stronger") for w in white)


def _is_white(view: View) -> bool:
    return _follows_gradients(view) and view.spec.threat != "oblivious"


def _eps_not_monotone(views: Sequence[View]) -> Found:
    for group in _groups(views, lambda view: _setting(view, eps=None)):
        yield from _falling(views, group, lambda view: view.spec.eps, "eps-not-monotone")


def _steps_not_monotone(views: Sequence[View]) -> Found:
    for name in BUDGETS:
        for group in _alike_but(views, name):
            yield from _falling(views, group, partial(_parameter, name=name), "steps-not-monotone")


def _restarts_improving(views: Sequence[View]) -> Found:
    for group in _alike_but(views, "restarts"):
        *_, fewer, most = sorted(group, key=lambda i: _parameter(views[i], "restarts"))
        if _beats(views[most].gains(), views[fewer].gains()):
            yield most, "restarts-improving"


def _falling(views: Sequence[View], group: Iterable[int], size: Callable[[View], float], flag: str) -> Found:
    """The larger of two budgets where the smaller one gained more."""
    sizes = {i: size(views[i]) for i in group}
    gains = {i: views[i].gains() for i in sizes}
    for smaller, larger in combinations(sorted(sizes, key=lambda i: sizes[i]), 2):
        if sizes[smaller] < sizes[larger] and _beats(gains[smaller], gains[larger]):
            yield larger, flag


def _beats(one: Gains, other: Gains) -> bool:
    """Whether ``one`` gained more, by more than the tolerance, on the samples that both have."""
    common = one.keys() & other.keys()
    ahead, behind = (sum(known[i] for i in common) for known in (one, other))
    return bool(common) and ahead - behind > TOLERANCE * abs(ahead)


def _follows_gradients(view: View) -> bool:
    return any(row.backwards for row in view.rows)


def _alike_but(views: Sequence[View], name: str) -> Iterator[list[int]]:
    """Groups of views whose attacks differ in the parameter ``name`` alone, and have it."""

    def key(view: View) -> str:
        attack = view.spec.attack
        if attack is None or not isinstance(attack.parameters.get(name), int):
            return ""
        others = {**attack.parameters, name: None}
        return _setting(view, attack={"name": attack.name, "code": attack.code, "parameters": others})

    yield from _groups(views, key)


def _parameter(view: View, name: str) -> float:
    value = view.spec.attack.parameters[name] if view.spec.attack is not None else None
    return float(value) if isinstance(value, int) else 0.0


def _setting(view: View, **changed: Any) -> str:  # noqa: ANN401 (any JSON value)
    """What two views must share to be compared, with what may differ replaced.

    An undefended threat only repeats which kind of attack it is.
    """
    spec = view.spec.model_dump(mode="json")
    threat = None if view.spec.defense is None else view.spec.threat
    return canonical({**spec, "direction": view.direction, "threat": threat, **changed})


def _groups(views: Sequence[View], key: Callable[[View], str]) -> Iterator[list[int]]:
    """Indices of views that share a key, where there are several; an empty key belongs nowhere."""
    groups: dict[str, list[int]] = {}
    for i, view in enumerate(views):
        groups.setdefault(key(view), []).append(i)
    yield from (group for name, group in groups.items() if name and len(group) > 1)
