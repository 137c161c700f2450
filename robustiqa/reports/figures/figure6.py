"""Figure 6: the anchored ranking loss and the bounds of Theorem 1, from the logs that ``robustiqa train`` leaves."""

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import encoded
from robustiqa.reports.training import ANCHORED, training_figure
from robustiqa.training.log import read_log


def figure(run: Run) -> dict[str, str]:
    """One file per training with the anchored loss whose log lies in the folders.

    Raises:
        InvalidInput: there is none.
    """
    logs = {path.stem: read_log(path) for folder in run.folders for path in sorted(folder.glob("*.csv"))}
    anchored = {name: rows for name, rows in logs.items() if any(row.get("anchored_loss") for row in rows)}
    if not anchored:
        looked = ", ".join(map(str, run.folders))
        raise InvalidInput(f"no log of an anchored training in {looked}; robustiqa train --recipe aat makes one.")
    return {
        f"figure6-{name}.svg": encoded(training_figure(rows, ANCHORED)).decode("utf-8")
        for name, rows in anchored.items()
    }
