"""Speed side by side, with how well each model agrees with people beside it (the paper's Figure 3)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from robustiqa.benchmarks.speed import Speed
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.evaluation import Evaluation, interval_cell
from robustiqa.reports.render import escape
from robustiqa.statistics import Interval

SPEED_FILE: Final = "speed.json"
"""What ``robustiqa speed`` leaves in its folder when it is given a dataset."""


class Point(BaseModel):
    """A model of a measurement, as :func:`speed_records` writes it: what a picture of quality and speed needs of it."""

    model: str
    forward_s: float = Field(gt=0, allow_inf_nan=False)
    n: int
    plcc: float | None
    plcc_lo: float | None
    plcc_hi: float | None
    flags: tuple[str, ...]


class Measurement(BaseModel):
    """A speed file: the models measured side by side, and at what."""

    size: str
    device: str
    dataset: str
    models: tuple[Point, ...]


def read_measurement(path: Path) -> Measurement:
    """The measurement in the file ``path``.

    Raises:
        InvalidInput: the file is not what ``robustiqa speed --dataset`` writes.
    """
    try:
        return Measurement.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidInput(f"{path} is not what robustiqa speed --dataset NAME=PATH writes; measure again.") from error


def speed_records(speeds: Sequence[Speed], evaluations: Sequence[Evaluation] = ()) -> list[dict[str, Any]]:
    """Seconds, ratios to the first model (above 1 is faster) and flags, for JSON.

    With evaluations of the same models in the same order: PLCC and SROCC with 95 % intervals, None where undefined.
    """
    first = speeds[0]
    records: list[dict[str, Any]] = [
        {
            "model": one.model,
            "forward_s": one.forward,
            "forward_ratio": first.forward / one.forward,
            "attack_step_s": one.attack_step,
            "attack_step_ratio": first.attack_step / one.attack_step,
            "flags": list(one.flags),
        }
        for one in speeds
    ]
    for record, one in zip(records, evaluations, strict=bool(evaluations)):
        record |= {"n": one.n, **_values("plcc", one.plcc_interval), **_values("srocc", one.srocc)}
        record["flags"] = sorted({*record["flags"], *one.flags})
    return records


def _values(name: str, interval: Interval) -> dict[str, float | None]:
    values = {name: interval.estimate, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def speed_markdown(speeds: Sequence[Speed], evaluations: Sequence[Evaluation] = ()) -> str:
    """The same as a Markdown table."""
    rows = [
        {
            "model": escape(record["model"]),
            "forward ms": f"{1000 * record['forward_s']:.1f}",
            "pairs/s": f"{1 / record['forward_s']:.3g}",
            "x first": f"{record['forward_ratio']:.2f}",
            "attack step ms": f"{1000 * record['attack_step_s']:.1f}",
            "steps/s": f"{1 / record['attack_step_s']:.3g}",
            "x first (steps)": f"{record['attack_step_ratio']:.2f}",
            "flags": escape(" ".join(record["flags"])),
        }
        for record in speed_records(speeds, evaluations)
    ]
    for row, one in zip(rows, evaluations, strict=bool(evaluations)):
        row["PLCC ↑ [95 % CI]"], row["SROCC ↑ [95 % CI]"] = interval_cell(one.plcc_interval), interval_cell(one.srocc)
        row["flags"] = row.pop("flags")  # last
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
