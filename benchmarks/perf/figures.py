"""What the scripts of this folder share: tasks that take turns, medians with spread, and one table for all."""

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import torch

CLOCKS: Final = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Figure:
    """One row: a median with the smallest and largest of its rounds; ``ratio`` is ours over ``against``, per round.

    ``wanted`` is what it should be, ``reached`` whether it is.
    """

    question: str
    case: str
    what: str
    value: float
    low: float
    high: float
    unit: str
    against: str = ""
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    wanted: str = ""
    reached: bool | None = None
    note: str = ""


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Options that every script has."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5, help="rounds that count, after one that does not")
    options.add_argument("--threads", type=int, default=1, help="of torch")
    options.add_argument("--clock", choices=tuple(CLOCKS), default="wall", help="cpu where the machine is shared")
    options.add_argument("--csv", type=Path, help="file that the rows are added to")
    return options


def interleaved(
    tasks: Mapping[str, Callable[[], object]], runs: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each task in each round; all take turns, so that a slow moment of the machine meets all."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(runs + 1):
        for name, task in tasks.items():
            start = clock()
            task()
            if number:
                seconds[name].append(clock() - start)
    return seconds


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest."""
    return statistics.median(values), min(values), max(values)


def ratios(slow: Sequence[float], fast: Sequence[float]) -> tuple[float, float, float]:
    """How many times as long ``slow`` took, round by round."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])


def publish(figures: Iterable[Figure], path: Path | None) -> None:
    """Print the rows as a Markdown table, and add them to a CSV."""
    rows = list(figures)
    print(markdown(rows))
    if path is not None:
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Figure)])
            if new:
                writer.writeheader()
            writer.writerows(asdict(row) for row in rows)


def markdown(rows: Sequence[Figure]) -> str:
    """The table, without the question."""
    lines = ["| case | what | median (min–max) | ratio (min–max) | wanted | reached | note |"]
    lines.append("|:--|:--|--:|--:|:--|:--|:--|")
    for row in rows:
        value = f"{row.value:.3g} {row.unit} ({row.low:.3g}–{row.high:.3g})"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} ({row.ratio_low:.2f}–{row.ratio_high:.2f})"
        ratio += f" of {row.against}" if row.against else ""
        reached = "" if row.reached is None else "yes" if row.reached else "**no**"
        lines.append(f"| {row.case} | {row.what} | {value} | {ratio} | {row.wanted} | {reached} | {row.note} |")
    return "\n".join(lines)


def prepared(options: argparse.Namespace) -> Callable[[], float]:
    """Set torch's threads; the clock that was asked for."""
    torch.set_num_threads(options.threads)
    return CLOCKS[options.clock]
