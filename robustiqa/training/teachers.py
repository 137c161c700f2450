"""Classical metrics that rank contents within a type and level: the teachers of the training labels.

Chosen on the TID2013 part (genuine MOS): of all sets of two to six of nine metrics the mean rank of these four was
among the best for blur, JPEG and white noise pooled (SROCC 0.946) and within each (0.941, 0.971, 0.935). Changes of
tone have a specialist each, the best of the nine there: VIF for contrast, which knows that more of it can look better
(0.871; the four reach 0.49), PSNR for brightness (0.761), MDSI for saturation (0.818). Implementations of the ``piq``
library.
"""

from typing import Final

import numpy as np
import piq
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

TEACHERS: Final = ("mdsi", "sr-sim", "haarpsi", "psnr", "vif")
GENERAL: Final = slice(0, 4)


def teacher_scores(ref: Tensor, dist: Tensor, contrast: bool) -> NDArray[np.float64]:
    """Qualities [N, 5] (higher is better) of tiles [N, 3, S, S] in [0, 1]; VIF is nan unless ``contrast``.

    MDSI and SR-SIM choose their scale from the image's size; a tile is halved for them, as the whole image would be.
    """
    half_ref, half_dist = F.avg_pool2d(ref, 2), F.avg_pool2d(dist, 2)
    with torch.no_grad():
        columns = (
            -piq.mdsi(half_dist, half_ref, reduction="none"),
            piq.srsim(half_dist, half_ref, chromatic=True, reduction="none"),
            piq.haarpsi(dist, ref, reduction="none"),
            piq.psnr(dist, ref, reduction="none"),
            piq.vif_p(dist, ref, reduction="none") if contrast else torch.full((len(ref),), torch.nan),
        )
    return np.stack([column.double().numpy() for column in columns], 1)


def tiles(image: Tensor, size: int) -> Tensor:
    """The whole tiles of ``image`` [3, H, W], row by row: [K, 3, size, size]."""
    cut = image.unfold(1, size, size).unfold(2, size, size)
    return cut.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)
