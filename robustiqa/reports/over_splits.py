"""Correlations on the test part of several splits by reference, and the predictions of each (the paper's Table 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from robustiqa.benchmarks.cell import Cell
from robustiqa.datasets.splits import Split
from robustiqa.reports.evaluation import common_samples, scores_of
from robustiqa.reports.render import DASH, escape, number
from robustiqa.statistics import fit_logistic, krocc, plcc_after_logistic, srocc


class Scored(NamedTuple):
    """A scored dataset and the split whose test part counts; ``retrained`` if the model learned its train part."""

    cell: Cell
    split: Split
    retrained: bool = False


@dataclass(frozen=True)
class SplitResult:
    """One model on the test part of one split.

    Attributes:
        plcc: after the logistic map fitted on the train part alone.
        predictions: id, reference, quality, score and mapped score of every test sample.
    """

    model: str
    split: str
    plcc: float
    srocc: float
    krocc: float
    predictions: pd.DataFrame
    retrained: bool


def over_splits(scored: Sequence[Scored]) -> list[SplitResult]:
    """Each cell on the test part of its split, on the samples that all cells have finite scores of.

    A model that stays the same brings one cell for all splits; one that was trained on each, a cell for each.

    Raises:
        InvalidInput: cells of several datasets, or no common sample.
    """
    common = common_samples([one.cell for one in scored])
    return [_result(one, common) for one in scored]


def _result(scored: Scored, ids: Sequence[str]) -> SplitResult:
    cell, split, retrained = scored
    rows = {row.id: row for row in cell.samples}
    parts = np.array([split.part(rows[i].reference) for i in ids])
    human = np.array([rows[i].quality for i in ids])
    scores = scores_of(cell, ids)
    train, test = parts == "train", parts == "test"
    fitted = fit_logistic(scores[train], human[train])
    frame = pd.DataFrame({
        "id": [i for i, part in zip(ids, parts, strict=True) if part == "test"],
        "reference": [rows[i].reference for i, part in zip(ids, parts, strict=True) if part == "test"],
        "quality": human[test],
        "score": scores[test],
        "mapped": fitted(scores[test]),
    })  # fmt: skip
    plcc = plcc_after_logistic(fitted, scores[test], human[test])
    ranks = (srocc(human[test], scores[test]), krocc(human[test], scores[test]))
    return SplitResult(cell.spec.subject, split.name, plcc, *ranks, frame, retrained)


def splits_markdown(results: Sequence[SplitResult]) -> str:
    """Mean and standard deviation over the splits, per model."""
    records = []
    for model in dict.fromkeys(result.model for result in results):
        own = [result for result in results if result.model == model]
        records.append({
            "model": escape(model),
            "weights": "trained on each split" if own[0].retrained else "the same",
            "splits": str(len(own)),
            "PLCC ↑": _spread([result.plcc for result in own]),
            "SROCC ↑": _spread([result.srocc for result in own]),
            "KROCC ↑": _spread([result.krocc for result in own]),
        })  # fmt: skip
    return pd.DataFrame(records).to_markdown(index=False, disable_numparse=True) + "\n"


def _spread(values: Sequence[float]) -> str:
    if not np.isfinite(values).all():
        return DASH
    deviation = f" ± {number(float(np.std(values, ddof=1)))}" if len(values) > 1 else ""
    return f"{number(float(np.mean(values)))}{deviation}"


def predictions_csv(results: Sequence[SplitResult]) -> str:
    """All predictions of all splits: model, split, id, reference, quality, score, mapped."""
    frames = [result.predictions.assign(model=result.model, split=result.split) for result in results]
    columns = ["model", "split", "id", "reference", "quality", "score", "mapped"]
    return pd.concat(frames)[columns].to_csv(index=False, float_format="%.9g", lineterminator="\n")
