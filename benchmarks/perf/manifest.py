"""How fast a table of pairs is loaded, as a share of pandas.read_csv on the same file in the same run.

Usage: python benchmarks/perf/manifest.py [--rows 100000] [--runs 7]

Both read the whole file; ours also checks every name, score and split and builds the pairs. The ratio says more of a
change than the seconds, which belong to the machine. Runs alternate, CPU seconds are taken, medians printed.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import robustiqa as rq


def main() -> None:
    """Print rows per second of both, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        lines = (f"ref/{i // 100}.png,dist/{i}.png,{i % 7}.5\n" for i in range(options.rows))
        table.write_text("reference,distorted,mos\n" + "".join(lines), encoding="utf-8")
        tasks: dict[str, Callable[[], object]] = {
            "robustiqa": lambda: rq.load_dataset("csv", table),
            "pandas": lambda: pd.read_csv(table),
        }
        rounds = [{name: _seconds(task) for name, task in tasks.items()} for _ in range(options.runs + 1)][1:]
    medians = {name: statistics.median(one[name] for one in rounds) for name in tasks}
    print(f"{options.rows} rows, median of {options.runs} runs after one that is not counted\n")
    print("| reader | CPU s | rows/s | x pandas |\n|:--|--:|--:|--:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.3f} | {options.rows / seconds:,.0f} | {seconds / medians['pandas']:.1f} |")


def _seconds(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


if __name__ == "__main__":
    main()
