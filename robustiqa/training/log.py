"""The log of a training run: one CSV row per step, in step with the checkpoint after a kill."""

import csv
from pathlib import Path
from typing import Final

from robustiqa.core.files import write_atomically

COLUMNS: Final = (
    "step", "loss", "mse", "plcc", "learning_rate", "seconds", "total_seconds", "passes", "eps", "penalty",
    "gradient_norm", "surrogate", "anchored_loss", "anchored_average", "max_error", "bound_paper", "bound_corrected",
    "conditions_hold", "validation_srocc", "validation_within_type", "validation_plcc", "validation_gain",
    "validation_attacked_srocc",
)  # fmt: skip


class CsvLog:
    """Appends a row per step; columns that a step has not got stay empty.

    A resumed run repeats the steps after its last checkpoint: their first rows are dropped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun = False

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        if not self._begun:
            kept = [row for row in read_log(self.path) if int(row["step"]) < step]
            write_atomically(self.path, "".join(map(_line, [dict(zip(COLUMNS, COLUMNS, strict=True)), *kept])))
            self._begun = True
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in figures.items()}}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(_line(row))


def is_log(path: Path) -> bool:
    """Whether the file begins as a log does."""
    with path.open("rb") as file:
        return file.readline(1_000).rstrip() == ",".join(COLUMNS).encode()


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a log, as texts by column; none where there is no file. A row that a kill cut short is left out."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if (row.get("step") or "").isdigit() and None not in row.values()]


def _line(row: dict[str, str]) -> str:
    return ",".join(row.get(column) or "" for column in COLUMNS) + "\r\n"
