"""How long the paper's Table 7 takes: 10 metrics on PIPAL's 23,200 images, 1,000 paired resamples, 45 differences.

Scores are random numbers of PIPAL's shape (200 references of 116 images in its training set); time does not depend on
what they say. Beside it stands the loop that sorts every resample with scipy.stats.spearmanr. A few resamples of the
loop are timed and extrapolated, which is said, and checked to be the same numbers.

    python benchmarks/perf/bootstrap.py
    python benchmarks/perf/bootstrap.py --mode iid --images 10125
"""

import argparse
import resource
import time

import numpy as np
from scipy.stats import spearmanr

from robustiqa.statistics import Resamples, bootstrap_sroccs, pairwise, tie_letters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=23_200)
    parser.add_argument("--references", type=int, default=200)
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--mode", choices=("cluster", "iid"), default="cluster")
    parser.add_argument("--loop", type=int, default=3, help="resamples of the scipy loop that are timed")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    human = rng.normal(size=options.images)
    scores = human + np.linspace(0.3, 3, options.metrics)[:, None] * rng.normal(size=(options.metrics, options.images))
    references = np.arange(options.images) * options.references // options.images

    start = time.perf_counter()
    resamples = Resamples.draw(references, mode=options.mode, replicates=options.resamples)
    metrics = bootstrap_sroccs(resamples, human, scores)
    pairs = pairwise(metrics)
    letters = tie_letters([metric.estimate for metric in metrics], pairs)
    fast = time.perf_counter() - start

    drawn = [resamples.indices(b) for b in range(options.loop)]
    start = time.perf_counter()
    slow = [[spearmanr(human[i], own[i]).statistic for i in drawn] for own in scores]
    loop = (time.perf_counter() - start) * options.resamples / options.loop
    difference = np.abs(np.array(slow) - [metric.values[: options.loop] for metric in metrics]).max()

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.metrics} metrics, {options.images} images, {options.resamples} resamples ({options.mode}), "
          f"{len(pairs)} differences, letters {' '.join(letters)}")  # fmt: skip
    print(f"robustiqa  {fast:8.2f} s, peak memory {memory:.0f} MB")
    print(f"scipy loop {loop:8.1f} s, extrapolated from {options.loop} resamples: {loop / fast:.0f} times as long")
    print(f"largest difference of a replicate: {difference:.1e}")


if __name__ == "__main__":
    main()
