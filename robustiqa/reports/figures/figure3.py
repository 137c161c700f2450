"""Figure 3: agreement with people against speed, a point per model, from what ``robustiqa speed`` leaves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import encoded, numbered, panels
from robustiqa.reports.speed import SPEED_FILE

Facts = Mapping[str, Any]


def figure(run: Run) -> dict[str, str]:
    """One file per folder that holds a measurement, numbered where there are several.

    Raises:
        InvalidInput: there is none, or one without correlations.
    """
    files = [folder / SPEED_FILE for folder in run.folders if (folder / SPEED_FILE).exists()]
    if not files:
        looked = ", ".join(map(str, run.folders))
        raise InvalidInput(f"no {SPEED_FILE} in {looked}; robustiqa speed --dataset NAME=PATH --out DIR makes it.")
    return numbered("figure3", [_drawn(path) for path in files])


def _drawn(path: Path) -> str:
    facts: Facts = json.loads(path.read_text(encoding="utf-8"))
    records = [record for record in facts["models"] if record.get("plcc") is not None]
    if not records:
        raise InvalidInput(f"{path} has no PLCC; measure with robustiqa speed --dataset NAME=PATH.")
    picture, (axes,) = panels(1, width=7, height=4.5)
    for record in records:
        x, y = 1 / record["forward_s"], record["plcc"]
        reach = [[y - record["plcc_lo"]], [record["plcc_hi"] - y]]
        axes.errorbar([x], [y], yerr=reach, fmt="o", capsize=3)
        label = f"{record['model']} *" if record["flags"] else record["model"]
        axes.annotate(label, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=9)
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.set_xlabel(f"pairs per second at {facts['size']} on {facts['device']}")
    axes.set_ylabel(f"PLCC, {records[0]['n']} pairs of {facts['dataset']}, 95 % interval")
    if any(record["flags"] for record in records):
        axes.set_title("* flagged: see the table", fontsize=9, loc="left")
    return encoded(picture).decode("utf-8")
