"""Where BiRQA's time goes at 1920 x 1080, and how much memory it takes at 4K.

Feature maps, network and head are timed apart from inside one score. Peak memory is that of a process which scores one
pair of 3840 x 2160 and nothing else. (``robustiqa speed`` compares with other models.)

    python benchmarks/perf/birqa_forward.py
"""

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator

import torch
from figures import Figure, parser, prepared, publish, spread

import robustiqa as rq
from robustiqa.benchmarks.speed import synthetic_pair
from robustiqa.core.memory import keep_freed_memory
from robustiqa.models.birqa.model import BiRQANetwork

BOUND = 4096  # MB: what a machine of 8 GB can spare


def main() -> None:
    """Print seconds and shares of the parts, and memory."""
    arguments = parser(__doc__)
    arguments.add_argument("--size", default="1920x1080")
    arguments.add_argument("--large", default="3840x2160")
    arguments.add_argument("--peak", action="store_true", help="score one pair and print the peak: what a child does")
    options = arguments.parse_args()
    keep_freed_memory()
    clock = prepared(options)
    model = rq.load_model("birqa")
    if not isinstance(model, BiRQANetwork):
        raise TypeError(type(model))
    if options.peak:
        print(peak(model, options.size))
        return
    publish([*parts(model, options, clock), memory(options)], options.csv)


@torch.no_grad()
def parts(model: BiRQANetwork, options: argparse.Namespace, clock: Callable[[], float]) -> Iterator[Figure]:
    """The reference's features, the maps, the network's modules, the head; each a share of the sum."""
    ref, dist = synthetic_pair(*map(int, options.size.split("x")))
    rounds = [timed(model, ref, dist, clock) for _ in range(options.runs + 1)][1:]
    totals = [sum(one.values()) for one in rounds]
    for name in rounds[0]:
        seconds = [one[name] for one in rounds]
        share = spread([a / b for a, b in zip(seconds, totals, strict=True)])
        yield Figure("BiRQA forward", options.size, name, *spread(seconds), "s", "the sum", *share)
    yield Figure("BiRQA forward", options.size, "sum", *spread(totals), "s")


def timed(
    model: BiRQANetwork, ref: torch.Tensor, dist: torch.Tensor, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds of each part of one score."""
    marks = [clock()]
    prepared_reference = model.prepare(ref)
    marks.append(clock())
    maps = model.maps(prepared_reference, dist)
    marks.append(clock())
    network = model.network
    tensors = [fuse(level) for fuse, level in zip(network.fusion, maps, strict=True)]
    marks.append(clock())
    for i, lift in enumerate(network.csram):
        tensors[i + 1], _ = lift(tensors[i], tensors[i + 1])
    marks.append(clock())
    for i in reversed(range(len(network.scgb))):
        tensors[i] = network.scgb[i](tensors[i], tensors[i + 1])
    marks.append(clock())
    network.head(tensors)
    marks.append(clock())
    names = ("reference's features", "maps", "fusion", "CSRAM", "SCGB", "head")
    return {name: after - before for name, before, after in zip(names, marks, marks[1:], strict=True)}


def peak(model: BiRQANetwork, size: str) -> float:
    """Megabytes of this process after one score."""
    with torch.no_grad():
        model.score(*synthetic_pair(*map(int, size.split("x"))))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(options: argparse.Namespace) -> Figure:
    """Peak of a score at 4K, in a process of its own."""
    command = [sys.executable, __file__, "--peak", "--size", options.large, "--threads", str(options.threads)]
    used = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return Figure("BiRQA forward", options.large, "peak memory of the process", used, used, used, "MB",
                  wanted=f"≤ {BOUND} MB", reached=used <= BOUND)  # fmt: skip


if __name__ == "__main__":
    main()
