"""Figure 3: agreement with people against speed, a point per model, from what ``robustiqa speed`` leaves."""

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import encoded, numbered, panels
from robustiqa.reports.speed import SPEED_FILE, Measurement, read_measurement


def layout(run: Run) -> dict[str, str]:
    """One file per folder that holds a measurement, numbered where there are several.

    Raises:
        InvalidInput: there is none, or one without a defined PLCC.
    """
    files = [folder / SPEED_FILE for folder in run.folders if (folder / SPEED_FILE).exists()]
    if not files:
        looked = ", ".join(map(str, run.folders))
        raise InvalidInput(f"no {SPEED_FILE} in {looked}; robustiqa speed --dataset NAME=PATH --out DIR makes it.")
    return numbered("figure3", [_drawn(read_measurement(path)) for path in files])


def _drawn(measured: Measurement) -> str:
    picture, (axes,) = panels(1, width=7, height=4.5)
    shown = 0
    for point in measured.models:
        if point.plcc is None:
            continue
        x, y, shown = 1 / point.forward_s, point.plcc, shown + 1
        lo, hi = (y if end is None else end for end in (point.plcc_lo, point.plcc_hi))
        axes.errorbar([x], [y], yerr=[[max(0, y - lo)], [max(0, hi - y)]], fmt="o", capsize=3)
        label = f"{point.model} *" if point.flags else point.model
        axes.annotate(label, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=9, parse_math=False)
    if not shown:
        raise InvalidInput(f"no model has a defined PLCC on {measured.dataset}; it needs scores that differ.")
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.set_xlabel(f"pairs per second at {measured.size} on {measured.device}", parse_math=False)
    axes.set_ylabel(f"PLCC, {measured.models[0].n} pairs of {measured.dataset}, 95 % interval", parse_math=False)
    if any(point.flags for point in measured.models):
        axes.set_title("* flagged: see the table of robustiqa speed", fontsize=9, loc="left")
    return encoded(picture).decode("utf-8")
