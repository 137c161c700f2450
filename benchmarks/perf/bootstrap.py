"""How long the paper's Table 7 takes: 10 metrics on PIPAL's 23,200 images, 1,000 paired resamples, 45 differences.

Scores are random numbers of PIPAL's shape (200 references of 116 images in its training set); time does not depend on
what they say. Beside it stands the loop that sorts every resample with scipy.stats.spearmanr. A few resamples of the
loop are timed and extrapolated, which is said, and checked to be the same numbers. The ratio is of CPU seconds; the
wall time of ours, which other work on the core lengthens, stands beside.

    python benchmarks/perf/bootstrap.py
    python benchmarks/perf/bootstrap.py --mode iid --images 10125
"""

import argparse
import resource
import time
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from robustiqa.statistics import Mode, Resamples, bootstrap_sroccs, pairwise, tie_letters


@dataclass(frozen=True)
class Timed:
    """One run: what was asked for, CPU seconds of ours and (extrapolated) of the loop, and how far replicates differ.

    ``wall`` is ours by the clock; ``loop`` counts the resamples of the loop that were timed; ``memory`` is the
    process's peak, in MB.
    """

    images: int
    metrics: int
    resamples: int
    mode: Mode
    differences: int
    letters: tuple[str, ...]
    fast: float
    wall: float
    slow: float
    loop: int
    difference: float
    memory: float


def measure(
    images: int = 23_200, references: int = 200, metrics: int = 10, resamples: int = 1_000, mode: Mode = "cluster",
    loop: int = 3,
) -> Timed:
    """Time both on random scores."""
    rng = np.random.default_rng(0)
    human = rng.normal(size=images)
    scores = human + np.linspace(0.3, 3, metrics)[:, None] * rng.normal(size=(metrics, images))

    clock, start = time.perf_counter(), time.process_time()
    drawn = Resamples.draw(np.arange(images) * references // images, mode=mode, replicates=resamples)
    models = bootstrap_sroccs(drawn, human, scores)
    pairs = pairwise(models)
    letters = tie_letters([model.estimate for model in models], pairs)
    fast, wall = time.process_time() - start, time.perf_counter() - clock
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    indices = [drawn.indices(b) for b in range(loop)]
    start = time.process_time()
    slow = [[spearmanr(human[i], own[i]).statistic for i in indices] for own in scores]
    seconds = (time.process_time() - start) * resamples / loop
    difference = float(np.abs(np.array(slow) - [model.values[:loop] for model in models]).max())
    return Timed(
        images, metrics, resamples, mode, len(pairs), tuple(letters), fast, wall, seconds, loop, difference, memory
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=23_200)
    parser.add_argument("--references", type=int, default=200)
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--mode", choices=("cluster", "iid"), default="cluster")
    parser.add_argument("--loop", type=int, default=3, help="resamples of the scipy loop that are timed")
    one = measure(**vars(parser.parse_args()))
    print(f"{one.metrics} metrics, {one.images} images, {one.resamples} resamples ({one.mode}), "
          f"{one.differences} differences, letters {' '.join(one.letters)}")  # fmt: skip
    print(f"robustiqa  {one.fast:8.2f} s ({one.wall:.2f} s by the clock), peak memory {one.memory:.0f} MB")
    print(f"scipy loop {one.slow:8.1f} s, extrapolated from {one.loop} resamples: "
          f"{one.slow / one.fast:.0f} times as long")  # fmt: skip
    print(f"largest difference of a replicate: {one.difference:.1e}")


if __name__ == "__main__":
    main()
