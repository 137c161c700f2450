"""Flags that stand beside every number: what a reader must know before quoting it."""

from collections.abc import Callable, Iterator
from typing import Final

from robustiqa.benchmarks.cell import Cell, CellSpec
from robustiqa.reports.compose import View

SLACK: Final = 1e-7  # ε is stored as float64, perturbations as float32
ROUNDING: Final = 0.1  # of the gain


def flags_of(view: View) -> tuple[str, ...]:
    """All flags of a view, sorted; ``docs/flags.md`` says what each means."""
    found = _of_subject(view.spec) | {flag for flag, applies in _CHECKS.items() if applies(view)}
    found |= {flag for part in (view.spec.attack, view.spec.defense) if part is not None for flag in part.flags}
    if view.spec.crop is not None:
        found.add(f"crop-{view.spec.crop}")
    found |= {"bf16-search"} if view.spec.precision == "bf16" else set()
    found |= {"compiled-search"} if view.spec.compiled else set()
    return tuple(sorted(found))


def clean_flags(cell: Cell) -> tuple[str, ...]:
    """All flags of clean scores, sorted: those of the model, of its labels, and of scores that are missing."""
    found = _of_subject(cell.spec)
    if cell.spec.model.code != "built-in":
        found.add("plug-in")
    if any(row.status != "ok" for row in cell.samples):
        found.add("non-finite-scores")
    return tuple(sorted(found))


def _of_subject(spec: CellSpec) -> set[str]:
    """What the model and the dataset bring with them, whatever is done to them."""
    found = set(spec.model.flags)
    if spec.dataset.labels in spec.model.trained_on:
        found.add("labels-seen-in-training")
    if spec.dataset.human_score.startswith("expected"):
        found.add("expected-scores")
    return found


def dead_share(view: View) -> float:
    """Share of the search's gradients that were zero everywhere or not finite; 0 where none were taken."""
    taken = sum(row.backwards for row in view.rows) / view.spec.eot
    return sum(row.dead_gradients for row in view.rows) / taken if taken else 0.0


def _loses_to_rounding(view: View) -> bool:
    gain, rounded = (sum(view.gains(field).values()) for field in ("attacked", "attacked_8bit"))
    return gain > 0 and rounded < (1 - ROUNDING) * gain


def _eps_exceeded(view: View) -> bool:
    attack = view.spec.attack
    if attack is not None and attack.parameters.get("norm") == "l2":  # ε is a root mean square, which PSNR tells
        return any(row.psnr is not None and 10 ** (-row.psnr / 20) > view.spec.eps * (1 + 1e-4) for row in view.rows)
    return any(row.linf is not None and row.linf > view.spec.eps + SLACK for row in view.rows)


def _is_adaptive(view: View) -> bool:
    return view.spec.threat not in {"oblivious", "transfer"}


_CHECKS: Final[dict[str, Callable[[View], bool]]] = {
    "8bit-loss": _loses_to_rounding,
    "batch-dependent": lambda view: any(row.batch_dependent for row in view.calibration),
    "budget-cut": lambda view: any(row.cut for row in view.rows),
    "calibration-missed": lambda view: any(row.eps_missed for row in view.rows),
    "dead-gradients": lambda view: any(row.dead_gradients for row in view.rows),
    "eps-exceeded": _eps_exceeded,
    "failed": lambda view: view.failed,
    "non-adaptive": lambda view: view.spec.threat == "oblivious",
    "non-finite-scores": lambda view: any(row.status != "ok" for row in view.rows),
    "randomised-without-eot": lambda view: view.spec.randomised and view.spec.eot == 1 and _is_adaptive(view),
    "saturated": lambda view: any(row.saturated_gradients for row in view.rows),
    "plug-in": lambda view: any(code != "built-in" for code in _codes(view)),
    "unfinished": lambda view: not view.finished,
}


def _codes(view: View) -> Iterator[str]:
    yield view.spec.model.code
    for part in (view.spec.attack, view.spec.defense):
        if part is not None:
            yield part.code
