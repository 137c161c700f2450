"""What the feature search and the ablation found, as tables and as the picture of the paper's Figure 5."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pandas as pd

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.plots import panels
from robustiqa.reports.render import DASH, number
from robustiqa.statistics import pareto_ranks
from robustiqa.training.ablation import Modules
from robustiqa.training.search import Found
from robustiqa.training.trial import Trial, read_trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def read_trials(folders: Sequence[Path], command: str) -> list[Trial]:
    """The trials that ``robustiqa COMMAND`` left in ``folders``.

    Raises:
        InvalidInput: there are none, or a file is not a trial's.
    """
    trials = [read_trial(path) for folder in folders for path in sorted(folder.glob("birqa*.json"))]
    if not trials:
        raise InvalidInput(f"no trials in {', '.join(map(str, folders))}; robustiqa {command} --out DIR makes them.")
    return trials


def search_frame(trials: Sequence[Trial], size: str) -> pd.DataFrame:
    """One record per feature set, best SROCC first; ``pareto`` is 0 on the front of SROCC and speed."""
    ranks = pareto_ranks([(trial.srocc, trial.timings[size].speed) for trial in trials])
    records = [
        {
            "features": "+".join(trial.features),
            "count": len(trial.features),
            "srocc": trial.srocc,
            "within_type": trial.within_type,
            "plcc": trial.plcc,
            "fps": 1 / trial.timings[size].forward,
            "speed": trial.timings[size].speed,
            "parameters": trial.parameters,
            "pareto": int(rank),
        }
        for trial, rank in zip(trials, ranks, strict=True)
    ]
    return pd.DataFrame(records).sort_values("srocc", ascending=False, na_position="last", kind="stable")


def search_markdown(found: Found, size: str) -> str:
    """The sets as a table, the front's in bold, and the weakness of each feature below it."""
    trials = list(found.trials.values())
    frame = search_frame(trials, size)
    sets = [
        {
            "features": f"**{row['features']}**" if row["pareto"] == 0 else row["features"],
            "SROCC ↑": number(row["srocc"]),
            "within type ↑": number(row["within_type"]),
            "PLCC ↑": number(row["plcc"]),
            f"FPS at {size} ↑": f"{row['fps']:.2f}",
            "x shipped ↑": f"{row['speed']:.2f}",
            "Pareto rank": row["pareto"],
        }
        for row in frame.to_dict("records")
    ]
    ordered = sorted(found.weakness.items(), key=lambda item: item[1])
    features = [
        {"feature": name, "weakness ↓": f"{value:.3f}", "sets of four": "dropped" if name in found.dropped else ""}
        for name, value in ordered
    ]
    head = f"{len(sets)} feature sets, {_conditions(trials)}; bold: on the Pareto front.\n\n"
    between = "Features by the mean Pareto rank, 0 to 1, of their sets of up to three:"
    return f"{head}{_table(sets)}\n\n{between}\n\n{_table(features)}\n"


def ablation_markdown(rows: Mapping[Modules, Trial], size: str) -> str:
    """The paper's Table 4; a dash stands where a module is replaced."""
    records = [
        {
            **{name.upper(): "yes" if there else DASH for name, there in modules._asdict().items()},
            "PLCC ↑": number(trial.plcc),
            "SROCC ↑": number(trial.srocc),
            "within type ↑": number(trial.within_type),
            "parameters": trial.parameters,
            f"FPS at {size} ↑": f"{1 / trial.timings[size].forward:.2f}",
            "x shipped ↑": f"{trial.timings[size].speed:.2f}",
        }
        for modules, trial in rows.items()
    ]
    return f"{_conditions(list(rows.values()))}\n\n{_table(records)}\n"


def pareto_figure(trials: Sequence[Trial], size: str) -> "Figure":
    """The paper's Figure 5: SROCC over frames per second, a point per set of features, the front joined.

    Speeds are relative to the shipped architecture's in the same interleaved runs, times its median: sets that were
    timed at a busy moment are not drawn slower, and the front is that of :func:`search_frame`.
    """
    figure, (axes,) = panels(1, width=8, height=5)
    usual = median(1 / trial.timings[size].yardstick for trial in trials)
    frame = search_frame(trials, size).dropna(subset=["srocc"])
    _plot(axes, frame.assign(fps=usual * frame["speed"]), size)
    return figure


def _plot(axes: "Axes", frame: pd.DataFrame, size: str) -> None:
    for count, group in frame.groupby("count"):
        axes.scatter(group["fps"], group["srocc"], s=18, alpha=0.7, label=f"{count} feature{'s' * (count != 1)}")
    front = frame[frame["pareto"] == 0].sort_values("fps")
    axes.plot(front["fps"], front["srocc"], color="black", linewidth=1, label="Pareto front")
    for row in front.itertuples():
        axes.annotate(str(row.features), (row.fps, row.srocc), xytext=(3, 4), textcoords="offset points",
                      fontsize=7, parse_math=False)  # fmt: skip
    axes.margins(x=0.12)
    axes.set_xlabel(f"frames per second at {size}, features included")
    axes.set_ylabel("SROCC on the references of validation")
    axes.legend(fontsize=8)


def _conditions(trials: Sequence[Trial]) -> str:
    steps, references = trials[0].steps, trials[0].references
    undefined = sum(not math.isfinite(trial.srocc) for trial in trials)
    note = f"; {undefined} without a defined SROCC" if undefined else ""
    return f"{steps} steps each, expected human scores of {references} validation references{note}"


def _table(records: Sequence[Mapping[str, object]]) -> str:
    return pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
