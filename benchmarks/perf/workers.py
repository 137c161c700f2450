"""Two local worker processes beside one process, one thread each. Needs two free cores.

Start-up of the workers is counted, so the bench is long enough for it not to decide.

    python benchmarks/perf/workers.py
"""

import tempfile
from pathlib import Path

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
    model, data = rq.load_model(options.model), pairs(options.images, options.side)

    def bench(jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcome = rq.bench([model], [f"pgd:steps={options.steps}"], data, directions=["up"], judges=[], jobs=jobs,
                               out=Path(folder))  # fmt: skip
        if outcome.failures:
            raise outcome.failures[0][1]

    seconds = interleaved({"one": lambda: bench(1), "two": lambda: bench(2)}, options.runs)
    ratio = ratios(seconds["one"], seconds["two"])
    case = f"{options.model}, {options.images} images of {options.side} pixels, pgd:steps={options.steps}"
    publish(
        [
            Figure("workers", case, "one process", *spread(seconds["one"]), "s"),
            Figure("workers", case, "two workers", *spread(seconds["two"]), "s", "one process", *ratio,
                   f"≥ {WANTED} ×", ratio[0] >= WANTED),
        ],
        options.csv,
    )  # fmt: skip


if __name__ == "__main__":
    main()
