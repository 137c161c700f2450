"""Flags that stand beside every number: what a reader must know before quoting it."""

from collections.abc import Callable, Iterator
from typing import Final

from robustiqa.reports.compose import View

SLACK: Final = 1e-7  # ε is stored as float64, perturbations as float32


def flags_of(view: View) -> tuple[str, ...]:
    """All flags of a view, sorted; ``docs/flags.md`` says what each means."""
    found = set(view.spec.model.flags) | {flag for flag, applies in _CHECKS.items() if applies(view)}
    if view.spec.attack is not None:
        found |= set(view.spec.attack.flags)
    if view.spec.crop is not None:
        found.add(f"crop-{view.spec.crop}")
    return tuple(sorted(found))


def _dead_gradients(view: View) -> bool:
    return any(row.dead_gradients for row in view.rows)


def _eps_exceeded(view: View) -> bool:
    attack = view.spec.attack
    if attack is not None and attack.parameters.get("norm") == "l2":  # ε is a root mean square, which PSNR tells
        return any(row.psnr is not None and 10 ** (-row.psnr / 20) > view.spec.eps * (1 + 1e-4) for row in view.rows)
    return any(row.linf is not None and row.linf > view.spec.eps + SLACK for row in view.rows)


def _labels_seen(view: View) -> bool:
    return view.spec.dataset.labels in view.spec.model.trained_on


def _is_adaptive(view: View) -> bool:
    return view.spec.threat != "oblivious"


_CHECKS: Final[dict[str, Callable[[View], bool]]] = {
    "budget-cut": lambda view: any(row.cut for row in view.rows),
    "dead-gradients": _dead_gradients,
    "eps-exceeded": _eps_exceeded,
    "labels-seen-in-training": _labels_seen,
    "expected-scores": lambda view: view.spec.dataset.human_score.startswith("expected"),
    "non-adaptive": lambda view: view.spec.threat == "oblivious",
    "non-finite-scores": lambda view: any(row.status != "ok" for row in view.rows),
    "randomised-without-eot": lambda view: view.spec.randomised and view.spec.eot == 1 and _is_adaptive(view),
    "plug-in": lambda view: any(code != "built-in" for code in _codes(view)),
    "unfinished": lambda view: not view.finished,
}


def _codes(view: View) -> Iterator[str]:
    yield view.spec.model.code
    for part in (view.spec.attack, view.spec.defense):
        if part is not None:
            yield part.code
