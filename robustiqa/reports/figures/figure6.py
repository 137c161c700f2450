"""Figure 6: the anchored ranking loss and the bounds of Theorem 1, from the logs that ``robustiqa train`` leaves."""

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import encoded, numbered
from robustiqa.reports.training import ANCHORED, training_figure
from robustiqa.training.log import is_log, read_log


def layout(run: Run) -> dict[str, str]:
    """One file per training with the anchored loss whose log lies in the folders, in the order of their names.

    Raises:
        InvalidInput: there is none.
    """
    files = [path for folder in run.folders for path in sorted(folder.glob("*.csv")) if is_log(path)]
    logs = [(path, read_log(path)) for path in files]
    drawn: dict[str, list[str]] = {}
    for path, rows in logs:
        if any(row.get("anchored_loss") for row in rows):
            drawn.setdefault(path.stem, []).append(encoded(training_figure(rows, ANCHORED)).decode("utf-8"))
    if not drawn:
        looked = ", ".join(map(str, run.folders))
        raise InvalidInput(f"no log of an anchored training in {looked}; robustiqa train --recipe aat makes one.")
    return {file: text for name, texts in drawn.items() for file, text in numbered(f"figure6-{name}", texts).items()}
