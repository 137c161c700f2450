"""Run all questions of this folder and write ``reports/perf``: README.md and figures.csv.

Close everything else first; with two cores about 40 minutes (``--quick``: a smoke test of minutes, whose figures mean
nothing). Each question runs in a process of its own.

    python benchmarks/perf/everything.py
"""

import argparse
import csv
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_type_hints

import torch
from figures import Figure, markdown

from robustiqa.core.files import write_atomically

HERE: Final = Path(__file__).parent
OUT: Final = HERE.parents[1] / "reports" / "perf"
QUESTIONS: Final = {
    "attack_steps.py": ("--steps", "5"),
    "batch_sizes.py": (),
    "birqa_forward.py": (),
    "startup.py": (),
    "whole_bench.py": (),
    "growth.py": (),
    "workers.py": (),
}
QUICK: Final = {
    "attack_steps.py": ("--steps", "2", "--shape", "2x64x64", "--model", "lpips-alex", "--model", "birqa"),
    "batch_sizes.py": ("--side", "64", "--model", "birqa"),
    "birqa_forward.py": ("--size", "192x128", "--large", "256x192"),
    "startup.py": (),
    "whole_bench.py": ("--cells", "4", "--images", "2", "--steps", "2"),
    "growth.py": ("--side", "32"),
    "workers.py": ("--images", "16", "--steps", "2", "--side", "32"),
}


def main() -> None:
    """Ask every question, and write what they answer."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--out", type=Path, default=OUT)
    options = arguments.parse_args()
    asked = [
        (script, ("--runs", str(options.runs), "--threads", str(options.threads), *extra))
        for script, extra in (QUICK if options.quick else QUESTIONS).items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "figures.csv"
        for script, extra in asked:
            print(f"\n## {script}", flush=True)
            subprocess.run([sys.executable, str(HERE / script), *extra, "--csv", str(table)], check=True)
        text = table.read_text(encoding="utf-8")
    write_atomically(options.out / "figures.csv", text)
    write_atomically(options.out / "README.md", report(list(read(text)), asked))


def read(text: str) -> Sequence[Figure]:
    """The rows of the CSV, with their types."""
    types = get_type_hints(Figure)
    records = csv.DictReader(text.splitlines())
    return [Figure(**{name: _typed(value, str(types[name])) for name, value in one.items()}) for one in records]


def report(figures: Sequence[Figure], asked: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The page: a table for each question, and the commands."""
    commands = "\n".join(f"python benchmarks/perf/{script} {' '.join(extra)}" for script, extra in asked)
    lines = [
        "# How fast",
        "",
        (
            "Printed by `benchmarks/perf/everything.py`. Ratios are within one run, of tasks that took turns; a row "
            "shows the median over rounds with the smallest and the largest."
        ),
        "",
        f"{datetime.now(UTC).date()}, {machine()}, torch {torch.__version__}.",
        "",
    ]
    for question in dict.fromkeys(figure.question for figure in figures):
        rows = [figure for figure in figures if figure.question == question]
        lines += [f"## {question[0].upper()}{question[1:]}", "", markdown(rows), ""]
    return "\n".join([*lines, "## Commands", "", "```sh", commands, "```", ""])


def machine() -> str:
    """The processor, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text(encoding="utf-8").splitlines()
             if line.startswith("model name")] if info.exists() else []  # fmt: skip
    return f"{len(names)} × {names[0]}" if names else platform.processor() or platform.machine()


def _typed(value: str, kind: str) -> str | float | bool | None:
    if "bool" in kind:
        return None if not value else value == "True"
    if "float" in kind:
        return None if not value else float(value)
    return value


if __name__ == "__main__":
    main()
