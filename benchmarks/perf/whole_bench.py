"""A whole bench of 200 small cells beside the time of its model calls: planning, hashing, journals, images, JSON.

Calls of the model are timed from inside, backward passes too. The model is an LPIPS with random weights: what is around
the calls does not depend on what they say.

    python benchmarks/perf/whole_bench.py
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from figures import Figure, parser, prepared, publish, spread
from toys import Timed, pairs

import robustiqa as rq
from robustiqa.core.memory import keep_freed_memory

CELLS, WANTED = 200, 1.05


def main() -> None:
    """Print the ratio of whole and calls, and what was left for everything else."""
    arguments = parser(__doc__)
    arguments.add_argument("--cells", type=int, default=CELLS)
    arguments.add_argument("--images", type=int, default=8)
    arguments.add_argument("--side", type=int, default=64)
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--model", default="lpips-alex:weights=random")
    options = arguments.parse_args()
    keep_freed_memory()
    clock = prepared(options)
    rounds = [measured(options, clock) for _ in range(options.runs + 1)][1:]
    ratio, whole, around = (spread(values) for values in zip(*rounds, strict=True))
    case = f"{options.cells} cells of {options.images} images of {options.side} pixels, pgd:steps={options.steps}"
    publish(
        [
            Figure("whole bench", case, "whole bench", *whole, "s", "model calls", *ratio, f"≤ {WANTED} ×",
                   ratio[0] <= WANTED, options.model),
            Figure("whole bench", case, "everything but model calls", *(1e3 * s / options.cells for s in around),
                   "ms/cell"),
        ],
        options.csv,
    )  # fmt: skip


def measured(options: argparse.Namespace, clock: Callable[[], float]) -> tuple[float, float, float]:
    """Whole over calls, whole, and the difference in seconds."""
    model, timed = rq.load_model(options.model), Timed(clock)
    timed.watch(model)
    gradient = torch.autograd.grad
    radii = [(1 + i / options.cells) / 255 for i in range(options.cells)]
    with tempfile.TemporaryDirectory() as folder:
        torch.autograd.grad = timed.around(gradient)
        start = clock()
        try:
            rq.bench([model], [f"pgd:steps={options.steps}"], pairs(options.images, options.side), eps=radii,
                     directions=["up"], judges=[], out=Path(folder))  # fmt: skip
        finally:
            torch.autograd.grad = gradient
        whole = clock() - start
    return whole / timed.seconds, whole, whole - timed.seconds


if __name__ == "__main__":
    main()
