"""Expected human scores: KADID-10k's mean DMOS of a distortion type and level, never the score of an image.

Lin, Hosu and Saupe, "KADID-10k: A Large-scale Artificially Distorted IQA Database", QoMEX 2019: 81 references, 25
types, 5 levels, 30 ratings an image, from 1 (very annoying) to 5 (imperceptible).
"""

import csv
import math
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from robustiqa.datasets.distortions import LEVELS

WORST: Final = 1.0
PRISTINE: Final = 4.62  # no published mean is higher, though some levels (18-3, 8-1) leave the image as it is


@cache
def published_means() -> NDArray[np.float64]:
    """The 125 means, [25 types, 5 levels]."""
    text = files("robustiqa.datasets").joinpath("kadid10k_means.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    means = np.full((25, 5), np.nan)
    for row in rows:
        means[int(row["code"]) - 1, int(row["level"]) - 1] = float(row["mean_dmos"])
    return means


def expected_score(code: int, level: float) -> float:
    """Mean DMOS of type ``code`` at ``level``: published at 1 to 5, linear between, continued monotonically beyond.

    Below level 1 the first step is continued up to a pristine image's score; beyond level 5 the score falls
    exponentially towards the end of the scale, with the slope that it has between levels 4 and 5.
    """
    means = published_means()[code - 1]
    if level > 5:
        slope = max(0.0, means[3] - means[4])
        height = max(means[4] - WORST, 1e-3)
        return float(WORST + height * math.exp(-slope * (level - 5) / height))
    if level < 1:
        return float(min(PRISTINE, means[0] + max(0.0, means[0] - means[1]) * (1 - level)))
    return float(np.interp(level, LEVELS, means))
