"""Models side by side on two-alternative choices: soft score, majority accuracy, and each kind of triplet by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from robustiqa.benchmarks.cell import Cell
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.triplets import Triplet, TripletDataset
from robustiqa.reports.evaluation import common_samples, interval_cell, range_cell, scores_of
from robustiqa.reports.flags import clean_flags
from robustiqa.reports.render import escape, number
from robustiqa.statistics import Interval, Resamples, TwoAFC, majority_accuracy, paired_difference, soft_score


@dataclass(frozen=True)
class Comparison:
    """One model on the triplets that every model could score, clean; intervals are clustered by reference.

    Attributes:
        soft_iid: the soft score with the i.i.d. interval, to be read where references are few.
        majority: None where no triplet has a majority.
        difference: soft score minus that of the table's first model, paired; None for the first itself.
        kinds: soft score within each kind of triplet.
        flags: of the model, its labels and scores, and of the interval.
    """

    model: str
    n: int
    n_excluded: int
    soft: Interval
    soft_iid: Interval
    majority: Interval | None
    difference: Interval | None
    kinds: dict[str, float]
    flags: tuple[str, ...]


def comparisons(data: TripletDataset, cells: Sequence[Cell]) -> list[Comparison]:
    """Clean cells of the pairs of ``data``, in the given order.

    Raises:
        InvalidInput: cells of several datasets, or no triplet that every model could score.
    """
    common = common_samples(cells)
    scored = set(common)
    triplets = [t for t in data.triplets if t.p0 in scored and t.p1 in scored]
    if not triplets:
        raise InvalidInput(f"{data.name}: no triplet has a finite score of both images from every model.")
    resamples, iid = (Resamples.draw([t.reference for t in triplets], mode=mode) for mode in ("cluster", "iid"))
    choices = [_choices(cell, common, triplets) for cell in cells]
    softs = [soft_score(choice, resamples) for choice in choices]
    majorities = [majority_accuracy(choice, resamples) for choice in choices]
    return [
        Comparison(
            model=cell.spec.subject,
            n=len(triplets),
            n_excluded=len(data.triplets) - len(triplets),
            soft=soft.interval(),
            soft_iid=soft_score(choice, iid).interval(),
            majority=None if majority is None else majority.interval(),
            difference=None if soft is softs[0] else paired_difference(soft, softs[0]),
            kinds=_by_kind(choice, triplets),
            flags=tuple(sorted({*clean_flags(cell), *soft.interval().flags})),
        )
        for cell, choice, soft, majority in zip(cells, choices, softs, majorities, strict=True)
    ]


def _choices(cell: Cell, ids: Sequence[str], triplets: Sequence[Triplet]) -> TwoAFC:
    quality = dict(zip(ids, scores_of(cell, ids).tolist(), strict=True))
    sides = ([quality[t.p0] for t in triplets], [quality[t.p1] for t in triplets])
    return TwoAFC.of([t.preference for t in triplets], *sides)


def _by_kind(choice: TwoAFC, triplets: Sequence[Triplet]) -> dict[str, float]:
    kinds = np.array([t.kind for t in triplets])
    return {str(kind): float(choice.credit[kinds == kind].mean()) for kind in np.unique(kinds)}


def comparisons_markdown(table: Sequence[Comparison]) -> str:
    """The comparisons as two Markdown tables: pooled, and the soft score of each kind."""
    pooled = [
        {
            "model": escape(c.model),
            "triplets": f"{c.n} (−{c.n_excluded})" if c.n_excluded else str(c.n),
            "soft 2AFC ↑ [95 % CI]": interval_cell(c.soft),
            "i.i.d. CI": range_cell(c.soft_iid),
            "majority ↑ [95 % CI]": interval_cell(c.majority),
            f"Δ soft to {escape(table[0].model)} [95 % CI]": interval_cell(c.difference),
            "flags": escape(" ".join(c.flags)),
        }
        for c in table
    ]
    kinds = [{"model": escape(c.model), **{escape(k): number(v) for k, v in c.kinds.items()}} for c in table]
    frames = [pd.DataFrame(records).to_markdown(index=False, disable_numparse=True) for records in (pooled, kinds)]
    return "\n\nSoft 2AFC by kind:\n\n".join(frames) + "\n"
