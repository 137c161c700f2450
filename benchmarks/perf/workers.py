"""Two local worker processes beside one process, one thread each. Needs two free cores.

Start-up of the workers is counted, so the bench is long enough for it not to decide. What the machine itself allows is
measured too: two processes that share nothing, each with a bench of half the images.

    python benchmarks/perf/workers.py
"""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from figures import Figure, interleaved, parser, prepared, publish, ratios, spread
from toys import pairs

import robustiqa as rq
from robustiqa.core.memory import keep_freed_memory

WANTED = 1.8


def main() -> None:
    """Print how many times as fast two are."""
    arguments = parser(__doc__)
    arguments.add_argument("--images", type=int, default=160)
    arguments.add_argument("--steps", type=int, default=40)
    arguments.add_argument("--side", type=int, default=96)
    arguments.add_argument("--model", default="birqa")
    options = arguments.parse_args()
    keep_freed_memory()
    prepared(options)
    whole = Task(options.model, options.images, options.side, options.steps)
    half = replace(whole, images=options.images // 2)
    tasks = {"one": lambda: whole.run(1), "two": lambda: whole.run(2), "apart": lambda: apart(half)}
    seconds = interleaved(tasks, options.runs)
    ratio, allowed = (ratios(seconds["one"], seconds[name]) for name in ("two", "apart"))
    case = f"{options.model}, {options.images} images of {options.side} pixels, pgd:steps={options.steps}"
    publish(
        [
            Figure("workers", case, "one process", *spread(seconds["one"]), "s"),
            Figure("workers", case, "two workers", *spread(seconds["two"]), "s", "one process", *ratio,
                   f"≥ {WANTED} ×", ratio[0] >= WANTED),
            Figure("workers", case, "two processes that share nothing, half the images each", *spread(seconds["apart"]),
                   "s", "one process", *allowed, note="the machine's limit"),
        ],
        options.csv,
    )  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A bench that a process of its own can be given."""

    model: str
    images: int
    side: int
    steps: int

    def run(self, jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcome = rq.bench([self.model], [f"pgd:steps={self.steps}"], pairs(self.images, self.side),
                               directions=["up"], judges=[], jobs=jobs, crop=self.side, out=Path(folder))  # fmt: skip
        if outcome.failures:
            raise outcome.failures[0][1]


def apart(task: Task) -> None:
    """The same bench in two fresh processes at once, with as many threads each as this one has."""
    threads = torch.get_num_threads()
    with ProcessPoolExecutor(2, get_context("spawn"), torch.set_num_threads, (threads,)) as pool:
        for done in [pool.submit(task.run, 1) for _ in range(2)]:
            done.result()


if __name__ == "__main__":
    main()
