"""Does a score depend on who else is in the batch? One sample of each calibration batch is scored again alone."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from robustiqa.core.draws import reported_scores
from robustiqa.core.model import QualityModel

TOLERANCE: Final = 1e-3  # of the score; kernels chosen by batch size change its last bits only


def score_alone(model: QualityModel, ref: Tensor, dist: Tensor, seeds: Sequence[int]) -> float:
    """The native score of one pair, each image [1, 3, H, W], with the draws of ``seeds`` [1]."""
    with torch.no_grad():
        return float(reported_scores(model, model.prepare(ref), dist, seeds).score[0])


def differs(together: float, alone: float) -> bool:
    """Whether a score is another one without its batch; one that is not finite alone is."""
    return not abs(together - alone) <= TOLERANCE * max(abs(together), 1e-6)
