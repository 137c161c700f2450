"""Classical metrics as the piq library computes them (Apache-2.0), in float64, one image at a time.

Some of its formulas mix the samples of a batch (SR-SIM's saliency is scaled by the extremes of the whole batch), and
most take roots whose gradient is infinite on flat patches; see :mod:`robustiqa.models.roots`. HaarPSI of two wholly
black images is infinite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import piq
import torch
from torch import Tensor

from robustiqa.core.filters import luma
from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models.entry import ModelEntry, NoParameters, refuse_weights
from robustiqa.models.roots import FiniteRoots
from robustiqa.models.weights import Weights

P = TypeVar("P")
Formula = Callable[[P, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Channels:
    """``y``: unrounded luma (default); ``rgb``: the mean over R, G and B."""

    channels: Literal["y", "rgb"] = "y"


@dataclass(frozen=True)
class Chroma:
    """Whether the chromatic components I and Q are compared as well (FSIMc, SR-SIMc)."""

    chromatic: bool = True


class PiqMetric(QualityModel):
    """A formula of piq: scores [1] of one distorted and one reference image [1, 3, H, W], float64 in [0, 1]."""

    def __init__(self, info: ModelInfo, formula: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.info = info
        self._formula = formula

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, (ref.double(),))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        pairs = zip(torch.split(dist.double(), 1), torch.split(reference.features[0], 1), strict=True)
        with FiniteRoots():
            scores = [self._formula(own, ref) for own, ref in pairs]
        return torch.cat(scores).to(dist.dtype) if scores else dist.new_zeros(0)


def _ms_ssim(settings: Channels, dist: Tensor, ref: Tensor) -> Tensor:
    if settings.channels == "y":
        dist, ref = luma(dist), luma(ref)
    score: Tensor = piq.multi_scale_ssim(dist, ref, reduction="none")
    return score


def _fsim(settings: Chroma, dist: Tensor, ref: Tensor) -> Tensor:
    score: Tensor = piq.fsim(dist, ref, reduction="none", chromatic=settings.chromatic)
    return score


def _sr_sim(settings: Chroma, dist: Tensor, ref: Tensor) -> Tensor:
    score: Tensor = piq.srsim(dist, ref, reduction="none", chromatic=settings.chromatic)
    return score


def _plain(function: Callable[..., Tensor]) -> Formula[NoParameters]:
    return lambda _, dist, ref: function(dist, ref, reduction="none")


def _entry(
    name: str,
    formula: Formula[P],
    parameters: type[P],
    paper: str,
    score_range: tuple[float | None, float | None],
    min_size: int,
    *,
    lower_better: bool = False,
) -> ModelEntry[P]:
    info = ModelInfo(name, lower_better, paper, score_range, min_size, licence="Apache-2.0 (piq)")

    def load(settings: P, weights: Weights, info: ModelInfo) -> PiqMetric:
        refuse_weights(weights, info)
        return PiqMetric(info, lambda dist, ref: formula(settings, dist, ref))

    return ModelEntry(info, parameters, load)


MS_SSIM: Final = _entry(
    "ms-ssim", _ms_ssim, Channels, "Wang, Simoncelli and Bovik, Asilomar 2003", (0.0, 1.0), min_size=161
)
VIF: Final = _entry(
    "vif", _plain(piq.vif_p), NoParameters, "Sheikh and Bovik, IEEE TIP 2006 (in the pixel domain)", (0.0, None), 41
)
FSIM: Final = _entry("fsim", _fsim, Chroma, "Zhang et al., IEEE TIP 2011", (0.0, 1.0), min_size=2)
VSI: Final = _entry("vsi", _plain(piq.vsi), NoParameters, "Zhang et al., IEEE TIP 2014", (0.0, 1.0), min_size=2)
GMSD: Final = _entry(
    "gmsd", _plain(piq.gmsd), NoParameters, "Xue et al., IEEE TIP 2014", (0.0, 0.5), 3, lower_better=True
)
MDSI: Final = _entry(
    "mdsi", _plain(piq.mdsi), NoParameters, "Nafchi et al., IEEE Access 2016", (0.0, None), 2, lower_better=True
)
HAARPSI: Final = _entry(
    "haarpsi", _plain(piq.haarpsi), NoParameters, "Reisenhofer et al., Signal Processing 2018", (0.0, 1.0), 16
)
SR_SIM: Final = _entry("sr-sim", _sr_sim, Chroma, "Zhang and Li, ICIP 2012", (None, None), min_size=40)
