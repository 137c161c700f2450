"""Cells that look the same in a report but are not: other data, weights, code or version under the same names."""

from collections.abc import Iterable, Mapping
from typing import Final

from robustiqa.benchmarks.cell import Cell, CellSpec, canonical

# What decides numbers but stands in no column of a report, with what it is called in messages.
HIDDEN: Final[Mapping[tuple[str, ...], str]] = {
    ("dataset", "manifest"): "data (the dataset's names and human scores)",
    ("model", "weights"): "weights of the model",
    ("model", "code"): "code of the model's plug-in",
    ("defense", "weights"): "weights of the defended model",
    ("defense", "code"): "code of the defense's plug-in",
    ("attack", "weights"): "the file that the attack learned",
    ("attack", "code"): "code of the attack's plug-in",
    ("attack", "parameters"): "parameters of the attack",
    ("defense", "parameters"): "parameters of the defense",
    ("source", "model", "weights"): "weights of the source model",
    ("calibrate", "weights"): "weights of the calibrating metric",
    ("version",): "version of robustiqa",
}
# What follows from these, or says it again.
_ECHOES: Final = (
    ("dataset", "pairs"), ("dataset", "mean_quality"), ("dataset", "human_score"), ("dataset", "labels"),
    ("model", "licence"), ("model", "trained_on"), ("model", "flags"), ("model", "score_range"),
    ("model", "lower_better"), ("attack", "flags"), ("defense", "flags"), ("source", "defense", "weights"),
)  # fmt: skip


def looks(spec: CellSpec) -> str:
    """What a reader of a report can tell of a cell: equal for cells that a table could not tell apart."""
    fields = spec.model_dump(mode="json")
    for path in (*HIDDEN, *_ECHOES):
        _blank(fields, path)
    return canonical(fields)


def differing(one: CellSpec, other: CellSpec) -> str:
    """What is not the same of two cells that look the same, in words, with the first digits of what it was and is."""
    found = []
    for path, name in HIDDEN.items():
        a, b = _at(one, path), _at(other, path)
        if a != b:
            found.append(f"{name} ({_short(a)} there, {_short(b)} here)")
    return ", ".join(found) or "the facts that the model or dataset declares"


def strangers(specs: Iterable[CellSpec], cells: Iterable[Cell]) -> list[tuple[Cell, CellSpec]]:
    """The cells that none of ``specs`` names but that look like one of them, each with that one."""
    wanted = list(specs)
    keys, by_looks = {spec.key for spec in wanted}, {looks(spec): spec for spec in wanted}
    others = [cell for cell in cells if cell.spec.key not in keys]
    return [(cell, by_looks[look]) for cell in others if (look := looks(cell.spec)) in by_looks]


def in_words(spec: CellSpec) -> str:
    """A cell as a message names it."""
    attack = [] if spec.attack is None else [spec.attack.label, f"ε={spec.eps:.4g}", spec.direction, spec.threat]
    return " ".join([spec.subject, "on", spec.dataset.name, *(attack or [spec.purpose])])


def _blank(fields: object, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        fields = fields.get(name) if isinstance(fields, dict) else None
    if isinstance(fields, dict):
        fields[path[-1]] = None


def _at(spec: CellSpec, path: tuple[str, ...]) -> object:
    value: object = spec
    for name in path:
        value = getattr(value, name, None)
    return value


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) >= 32 and text.isalnum() else text[:60]
