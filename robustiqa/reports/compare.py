"""Two runs side by side: what differs between them, and by how much the same samples were moved further."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.provenance import UNEQUAL
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.compose import View
from robustiqa.reports.draws import Estimate
from robustiqa.reports.paired import Common
from robustiqa.reports.render import DASH, budget_text, escape, frame_csv, frame_json, interval_text, number
from robustiqa.reports.rows import Row

Facets = dict[str, str]
SETTING: Final[dict[str, Callable[[View], str]]] = {
    "dataset": lambda view: view.spec.dataset.name,
    "model": lambda view: view.spec.model.name,
    "defense": lambda view: "none" if view.spec.defense is None else view.spec.defense.label,
    "attack": lambda view: "none" if view.spec.attack is None else view.spec.attack.label,
    "eps": lambda view: budget_text(view.spec),
    "direction": lambda view: view.direction,
    "threat": lambda view: view.spec.threat,
    "source": lambda view: "none" if view.spec.source is None else view.spec.source.label,
    "crop": lambda view: str(view.spec.crop or "whole images"),
    "seed": lambda view: str(view.spec.seed),
}
DETAILS: Final[dict[str, Callable[[View], str]]] = {
    "dataset's manifest": lambda view: view.spec.dataset.manifest[:12],
    "model's weights": lambda view: view.spec.model.weights[:12],
    "model's code": lambda view: view.spec.model.code[:12],
    "defended weights": lambda view: "none" if view.spec.defense is None else view.spec.defense.weights[:12],
    "attack's code": lambda view: "none" if view.spec.attack is None else view.spec.attack.code[:12],
    "learned attack": lambda view: "none" if view.spec.attack is None else view.spec.attack.weights[:12] or "none",
    "eot": lambda view: str(view.spec.eot),
    "precision": lambda view: view.spec.precision,
    "compiled": lambda view: str(bool(view.spec.compiled)),
    "max_queries": lambda view: str(view.spec.max_queries),
    "max_seconds": lambda view: str(view.spec.max_seconds),
    "robustiqa": lambda view: view.spec.version,
}


@dataclass(frozen=True)
class Difference:
    """A setting that both runs have, on the samples that both could score; differences are B minus A.

    Attributes:
        setting: what both share; ``differs``: what they do not, as ``name: A → B``.
        gain, srocc_attacked, srocc_clean: (of A, of B, difference), all paired.
    """

    setting: Facets
    differs: tuple[str, ...]
    n: int
    gain: tuple[Estimate, Estimate, Estimate]
    srocc_attacked: tuple[Estimate, Estimate, Estimate]
    srocc_clean: tuple[Estimate, Estimate, Estimate]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two runs: their pairs of rows, and what only one of them has."""

    differences: tuple[Difference, ...]
    only_a: tuple[Facets, ...]
    only_b: tuple[Facets, ...]


def compare(rows_a: Iterable[Row], rows_b: Iterable[Row]) -> Comparison:
    """Pair the rows of two runs.

    What each run has one value of is no part of the pairing, so that two models or two attacks can be compared; what
    differs is named.

    Raises:
        InvalidInput: a run has several rows of one setting, or none fits one of the other's.
    """
    a, b = list(rows_a), list(rows_b)
    names = _pairing(a, b)
    of_a, of_b = _by_setting(a, names, "first"), _by_setting(b, names, "second")
    differences = [_difference(of_a[key], of_b[key], names) for key in of_a if key in of_b]
    found = tuple(one for one in differences if one is not None)
    if not found:
        raise InvalidInput(f"no row of the one run fits one of the other: {_words(a)} against {_words(b)}.")
    return Comparison(
        found,
        tuple(_facets(row, names) for key, row in of_a.items() if key not in of_b),
        tuple(_facets(row, names) for key, row in of_b.items() if key not in of_a),
    )


def _pairing(a: Sequence[Row], b: Sequence[Row]) -> list[str]:
    """Names of what must agree: all but what is one thing in the one run and another in the other."""

    def both_single(name: str) -> bool:
        one, other = ({SETTING[name](row.view) for row in rows} for rows in (a, b))
        return len(one) == len(other) == 1 and one != other

    return [name for name in SETTING if name == "dataset" or not both_single(name)]


def _by_setting(rows: Sequence[Row], names: Sequence[str], which: str) -> dict[tuple[str, ...], Row]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(SETTING[name](row.view) for name in names)].append(row)
    for key, group in groups.items():
        if len(group) > 1:
            several = [f"{name} {text}" for name, text in _values(group).items()]
            raise InvalidInput(
                f"the {which} run has {len(group)} rows of {', '.join(key)}, which differ in {', '.join(several)}; "
                "compare folders that hold one of them each."
            )
    return {key: group[0] for key, group in groups.items()}


def _values(rows: Sequence[Row]) -> Facets:
    values = {name: sorted({read(row.view) for row in rows}) for name, read in DETAILS.items()}
    return {name: " / ".join(texts) for name, texts in values.items() if len(texts) > 1}


def _facets(row: Row, names: Sequence[str]) -> Facets:
    return {name: SETTING[name](row.view) for name in names}


def _difference(a: Row, b: Row, names: Sequence[str]) -> Difference | None:
    common = Common.of([a.view, b.view])
    if common is None or a.view.spec.dataset.manifest != b.view.spec.dataset.manifest:
        return None
    statistics = {
        "gain": (common.gain(a.view), common.gain(b.view)),
        "srocc_attacked": (common.srocc(a.view, "attacked"), common.srocc(b.view, "attacked")),
        "srocc_clean": (common.srocc(a.view, "clean"), common.srocc(b.view, "clean")),
    }
    estimates = {name: (one.estimate, other.estimate, other.minus(one)) for name, (one, other) in statistics.items()}
    flags = {flag for each in estimates.values() for flag in each[2].clustered.flags}
    return Difference(
        setting=_facets(a, names),
        differs=_differs(a.view, b.view),
        n=len(common.ids),
        flags=tuple(sorted({*a.flags, *b.flags, *flags})),
        **estimates,
    )


def _differs(a: View, b: View) -> tuple[str, ...]:
    facets = {**SETTING, **DETAILS}
    return tuple(f"{name}: {read(a)} → {read(b)}" for name, read in facets.items() if read(a) != read(b))


def _words(rows: Sequence[Row]) -> str:
    values = {name: sorted({SETTING[name](row.view) for row in rows}) for name in ("dataset", "model", "attack", "eps")}
    return "; ".join(f"{name} {', '.join(texts)}" for name, texts in values.items())


def environments(a: Iterable[Cell], b: Iterable[Cell]) -> list[str]:
    """What the two runs were computed with, where it differs; when they were made is left out."""
    one, other = _environment(a), _environment(b)
    names = sorted(one.keys() | other.keys())
    return [
        f"{name}: {' / '.join(sorted(one.get(name, {'?'})))} → {' / '.join(sorted(other.get(name, {'?'})))}"
        for name in names
        if one.get(name) != other.get(name)
    ]


def _environment(cells: Iterable[Cell]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        for name, value in cell.provenance.items():
            if name not in UNEQUAL:
                values[name].add(str(value))
    return values


def comparison_frame(found: Comparison) -> pd.DataFrame:
    """One record for each pair of rows."""
    records = []
    for one in found.differences:
        record: dict[str, object] = {**one.setting, "n": one.n}
        for name in ("gain", "srocc_attacked", "srocc_clean"):
            a, b, difference = getattr(one, name)
            record |= {f"{name}_a": a.value, f"{name}_b": b.value, f"{name}_difference": difference.value}
            record |= {f"{name}_difference_{end}": value for end, value in _ends(difference).items()}
            record[f"{name}_verdict"] = difference.clustered.verdict
        records.append({**record, "differs": "; ".join(one.differs), "flags": " ".join(one.flags)})
    return pd.DataFrame(records)


def _ends(estimate: Estimate) -> dict[str, float]:
    clustered, iid = estimate.clustered, estimate.iid
    return {"lo": clustered.lo, "hi": clustered.hi, "iid_lo": iid.lo, "iid_hi": iid.hi}


def comparison_markdown(found: Comparison, differing: Sequence[str] = ()) -> str:
    """The pairs as a table, what differs, and what only one run has; ``differing`` are the environments."""
    records = [
        {
            "setting": escape(", ".join(one.setting.values())),
            "n": str(one.n),
            "gain A": number(one.gain[0].value),
            "gain B": number(one.gain[1].value),
            "B − A [95 % CI]": _verdict(one.gain[2]),
            "SROCC attacked A": number(one.srocc_attacked[0].value),
            "SROCC attacked B": number(one.srocc_attacked[1].value),
            "B − A [95 % CI] ": _verdict(one.srocc_attacked[2]),
            "clean SROCC B − A": _verdict(one.srocc_clean[2]),
            "flags": escape(" ".join(one.flags)),
        }
        for one in found.differences
    ]
    differs = dict.fromkeys(text for one in found.differences for text in one.differs)
    lines = [f"* differs: {escape(text)}" for text in (*differs, *differing)] or ["* nothing differs"]
    lines += [f"* only in A: {escape(', '.join(one.values()))}" for one in found.only_a]
    lines += [f"* only in B: {escape(', '.join(one.values()))}" for one in found.only_b]
    note = (
        "Paired per sample, bootstrap clustered by reference; above or below: the interval excludes 0. "
        "A gain is in units of its model's own range of clean scores."
    )
    table = pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
    return "\n".join([table, "", *lines, "", note, ""])


def _verdict(difference: Estimate) -> str:
    text = interval_text(difference)
    return text if text == DASH else f"{text} {difference.clustered.verdict}"


def comparison_text(found: Comparison, differing: Sequence[str], form: str) -> str:
    """The comparison as ``md``, ``csv`` or ``json``."""
    if form == "md":
        return comparison_markdown(found, differing)
    return (frame_csv if form == "csv" else frame_json)(comparison_frame(found))
