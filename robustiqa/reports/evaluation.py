"""Models side by side on clean images: correlations with human scores, and whether the first is above the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import Cell
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.compose import quality_of
from robustiqa.reports.flags import clean_flags
from robustiqa.reports.render import DASH, escape, number
from robustiqa.statistics import (
    Bootstrapped,
    Interval,
    Resamples,
    WithinType,
    bootstrap_krocc,
    bootstrap_plcc,
    bootstrap_srocc,
    fit_logistic,
    krocc,
    paired_difference,
    plcc_after_logistic,
    srocc_within_type,
)

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """One model on one dataset, clean.

    Attributes:
        srocc, srocc_iid: the same number with the interval clustered by reference and the i.i.d. one.
        plcc: after the 4-parameter logistic of VQEG.
        krocc_interval, plcc_interval: the same with the interval clustered by reference.
        difference: SROCC minus that of the table's first model, paired, clustered; None for the first itself.
        flags: of the model, its labels and scores, and of the interval.
    """

    model: str
    n: int
    n_excluded: int
    srocc: Interval
    srocc_iid: Interval
    krocc: float
    plcc: float
    krocc_interval: Interval
    plcc_interval: Interval
    within_type: WithinType
    difference: Interval | None
    difference_iid: Interval | None
    flags: tuple[str, ...]


def evaluations(cells: Iterable[Cell]) -> list[Evaluation]:
    """Clean cells of one dataset, in the given order, on the samples that every model could score.

    Raises:
        InvalidInput: cells of several datasets, or no common sample.
    """
    cells = list(cells)
    common = common_samples(cells)
    rows = {row.id: row for row in cells[0].samples}
    human = np.array([rows[i].quality for i in common])
    types = [rows[i].distortion for i in common]
    references = [rows[i].reference for i in common]
    draws = {mode: Resamples.draw(references, mode=mode) for mode in ("cluster", "iid")}
    scores = [scores_of(cell, common) for cell in cells]
    fits = [fit_logistic(s, human) for s in scores]
    boots = [{mode: bootstrap_srocc(draws[mode], human, s) for mode in draws} for s in scores]
    return [
        Evaluation(
            model=cell.spec.subject,
            n=len(common),
            n_excluded=len(cell.samples) - len(common),
            srocc=boot["cluster"].interval(),
            srocc_iid=boot["iid"].interval(),
            krocc=krocc(human, s),
            plcc=plcc_after_logistic(fit, s, human),
            krocc_interval=bootstrap_krocc(draws["cluster"], human, s).interval(),
            plcc_interval=bootstrap_plcc(draws["cluster"], human, fit(s) if fit.increasing else -fit(s)).interval(),
            within_type=srocc_within_type(human, s, types),
            difference=_difference(boot, boots[0], "cluster"),
            difference_iid=_difference(boot, boots[0], "iid"),
            flags=tuple(sorted({*clean_flags(cell), *boot["cluster"].interval().flags})),
        )
        for cell, s, fit, boot in zip(cells, scores, fits, boots, strict=True)
    ]


def common_samples(cells: Sequence[Cell]) -> list[str]:
    """Ids of the samples that every cell has a finite score for, sorted.

    Raises:
        InvalidInput: cells of several datasets, or no common sample.
    """
    if len({cell.spec.dataset.manifest for cell in cells}) != 1:
        raise InvalidInput("an evaluation compares models on one dataset; evaluate each dataset for itself.")
    common = sorted(set.intersection(*({row.id for row in cell.samples if row.status == "ok"} for cell in cells)))
    if not common:
        raise InvalidInput("no sample has a finite score from every model.")
    return common


def scores_of(cell: Cell, ids: Sequence[str]) -> Vector:
    """The cell's clean scores of ``ids`` [n], oriented so that higher is better."""
    rows = {row.id: row for row in cell.samples}
    return quality_of([rows[i] for i in ids], "clean", -1 if cell.spec.model.lower_better else 1)


def _difference(own: Mapping[str, Bootstrapped], first: Mapping[str, Bootstrapped], mode: str) -> Interval | None:
    return None if own is first else paired_difference(own[mode], first[mode])


def evaluation_markdown(table: Sequence[Evaluation]) -> str:
    """The evaluations as two Markdown tables: pooled, and SROCC within each type."""
    pooled = [
        {
            "model": escape(e.model),
            "n": f"{e.n} (−{e.n_excluded})" if e.n_excluded else str(e.n),
            "SROCC ↑ [95 % CI]": interval_cell(e.srocc),
            "i.i.d. CI": range_cell(e.srocc_iid),
            "KROCC ↑ [95 % CI]": interval_cell(e.krocc_interval),
            "PLCC ↑ [95 % CI]": interval_cell(e.plcc_interval),
            "within type ↑": number(e.within_type.mean),
            f"Δ SROCC to {escape(table[0].model)} [95 % CI]": interval_cell(e.difference),
            "i.i.d. Δ CI": range_cell(e.difference_iid),
            "flags": escape(" ".join(e.flags)),
        }
        for e in table
    ]
    within = [
        {"model": escape(e.model), **{escape(t): number(v) for t, v in e.within_type.per_type.items()}} for e in table
    ]
    frames = [pd.DataFrame(records).to_markdown(index=False, disable_numparse=True) for records in (pooled, within)]
    return "\n\nSROCC within type:\n\n".join(frames) + "\n"


def summary_markdown(tables: Mapping[str, Sequence[Evaluation]]) -> str:
    """Models by datasets, PLCC / SROCC / KROCC in each cell, as the paper's Table 2; intervals stand in the tables."""
    models = list(dict.fromkeys(e.model for table in tables.values() for e in table))
    records = []
    for model in models:
        record = {"model": escape(model)}
        for name, table in tables.items():
            found = next((e for e in table if e.model == model), None)
            values = () if found is None else (found.plcc, found.srocc.estimate, found.krocc)
            record[f"{escape(name)}: PLCC / SROCC / KROCC ↑"] = " / ".join(map(number, values)) or DASH
        records.append(record)
    return pd.DataFrame(records).to_markdown(index=False, disable_numparse=True) + "\n"


def interval_cell(interval: Interval | None) -> str:
    """``0.912 [0.874, 0.941]``, or a dash."""
    return DASH if interval is None else f"{number(interval.estimate)} {range_cell(interval)}"


def range_cell(interval: Interval | None) -> str:
    """``[0.874, 0.941]``, or a dash."""
    return DASH if interval is None else f"[{number(interval.lo)}, {number(interval.hi)}]"
