"""Does time grow linearly, and does memory stay flat? Three sizes each of images, steps and cells, and peak memory.

A slope is that of log time against log size: 1 is linear, less is what a run costs once. Each size runs in a process of
its own, so that its peak memory is its own.

    python benchmarks/perf/growth.py
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from figures import CLOCKS, Figure, parser, publish, spread
from toys import pairs

import robustiqa as rq
from robustiqa.core.memory import keep_freed_memory

SIZES = {"images": (32, 64, 128), "steps": (10, 20, 40), "cells": (10, 20, 40)}
USUAL = {"images": 16, "steps": 5, "cells": 1}
WANTED, FLAT = (0.8, 1.15), 1.1


def main() -> None:
    """Print slopes, and memory of the most images over that of the fewest."""
    arguments = parser(__doc__)
    arguments.add_argument("--model", default="lpips-alex:weights=random")
    arguments.add_argument("--side", type=int, default=96)
    arguments.add_argument("--one", type=json.loads, help="measure one size and print JSON: what a child does")
    options = arguments.parse_args()
    if options.one is not None:
        print(json.dumps(one(options, **options.one)))
        return
    figures = [figure for what in SIZES for figure in measured(what, options)]
    publish(figures, options.csv)


def measured(what: str, options: argparse.Namespace) -> list[Figure]:
    """The slope over three sizes, round by round; for images their memory too."""
    rounds = [[child(what, size, options) for size in SIZES[what]] for _ in range(options.runs)]
    slopes = [slope(SIZES[what], [seconds for seconds, _ in sizes]) for sizes in rounds]
    middle, low, high = spread(slopes)
    note = ", ".join(f"{size}: {seconds:.3g} s" for size, (seconds, _) in zip(SIZES[what], rounds[-1], strict=True))
    text = f"{WANTED[0]}–{WANTED[1]}"
    figures = [Figure("growth", what, "slope of time", middle, low, high, "", wanted=text,
                      reached=WANTED[0] <= middle <= WANTED[1], note=note)]  # fmt: skip
    if what == "images":
        most = [sizes[-1][1] for sizes in rounds]
        fewest = [sizes[0][1] for sizes in rounds]
        ratio = spread([a / b for a, b in zip(most, fewest, strict=True)])
        figures.append(Figure("growth", what, f"peak memory at {SIZES[what][-1]} images", *spread(most), "MB",
                              f"that at {SIZES[what][0]}", *ratio, f"≤ {FLAT} ×", ratio[0] <= FLAT))  # fmt: skip
    return figures


def child(what: str, size: int, options: argparse.Namespace) -> tuple[float, float]:
    """Seconds and peak megabytes of one size."""
    asked = json.dumps({**USUAL, what: size})
    command = [sys.executable, __file__, "--one", asked, "--model", options.model, "--side", str(options.side),
               "--threads", str(options.threads), "--clock", options.clock]  # fmt: skip
    seconds, memory = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, memory


def one(options: argparse.Namespace, images: int, steps: int, cells: int) -> tuple[float, float]:
    """Of a bench in this process, after a short one that warms it up."""
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    clock, model = CLOCKS[options.clock], rq.load_model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        for name, count, times, radii in (("warm", 8, 2, 1), ("timed", images, steps, cells)):
            start = clock()
            rq.bench([model], [f"pgd:steps={times}"], pairs(count, options.side), directions=["up"], judges=[],
                     eps=[(2 + i / 8) / 255 for i in range(radii)], out=Path(folder) / name)  # fmt: skip
    return clock() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def slope(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """Of the least-squares line of log seconds over log sizes."""
    x, y = ([math.log(value) for value in values] for values in (sizes, seconds))
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


if __name__ == "__main__":
    main()
