"""Figure 5: SROCC against speed of the feature sets, from the trials that ``robustiqa search-features`` leaves."""

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.lab import pareto_figure, read_trials
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import encoded


def layout(run: Run) -> dict[str, str]:
    """One file per image size that all trials in the folders were timed at.

    Raises:
        InvalidInput: there are no trials, or they share no size.
    """
    trials = read_trials(run.folders, "search-features")
    sizes = sorted(set.intersection(*(set(trial.timings) for trial in trials)))
    if not sizes:
        raise InvalidInput("the trials were timed at no common image size; run robustiqa search-features to its end.")
    return {f"figure5-{size}.svg": encoded(pareto_figure(trials, size)).decode("utf-8") for size in sizes}
