"""Which batch is best? Images a second through one attack step, at several sizes of batch.

python benchmarks/perf/batch_sizes.py
"""

from collections.abc import Callable

import torch
from attack_steps import MODELS, images
from figures import Figure, interleaved, parser, prepared, publish, ratios, spread

import robustiqa as rq
from robustiqa.core.memory import keep_freed_memory
from robustiqa.core.model import QualityModel

SIZES, DEFAULT = (1, 2, 4, 8, 16), 8


def main() -> None:
    """Print images a second for each model, and the default's against the best."""
    arguments = parser(__doc__)
    arguments.add_argument("--model", action="append")
    arguments.add_argument("--side", type=int, default=192)
    options = arguments.parse_args()
    keep_freed_memory()
    clock = prepared(options)
    for name in options.model or MODELS:
        model = rq.load_model(name)
        tasks = {str(size): step(model, size, options.side) for size in SIZES}
        seconds = {size: [one / int(size) for one in each] for size, each in
                   interleaved(tasks, options.runs, clock).items()}  # fmt: skip
        publish(
            [
                Figure("size of batch", name, f"batch of {size}", *spread([1 / one for one in each]), "images/s",
                       f"batch of {DEFAULT}", *ratios(seconds[str(DEFAULT)], each))
                for size, each in seconds.items()
            ],
            options.csv,
        )  # fmt: skip


def step(model: QualityModel, size: int, side: int) -> Callable[[], object]:
    """One gradient of a batch."""
    ref, dist = images(size, side, side)
    objective, index = rq.Objective(model, ref), torch.arange(size)
    return lambda: objective.value_and_grad(dist, index)


if __name__ == "__main__":
    main()
