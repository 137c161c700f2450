"""``pyiqa:NAME``: the full-reference metrics of the pyiqa package, which has a licence of its own."""

from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType
from typing import Final

import torch
from torch import Tensor, nn

from robustiqa.core.errors import MissingExtra, MissingWeights, UnknownName
from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models.entry import ModelEntry, refuse_weights
from robustiqa.models.weights import Weights

LICENCE: Final = "PolyForm-Noncommercial-1.0.0 (pyiqa), and the metric's own terms"
FLAG: Final = "non-commercial-licence"


@dataclass(frozen=True)
class Metric:
    """``version``: pyiqa's name of the metric, such as ``ahiq``."""

    version: str = ""


class PyIQAMetric(QualityModel):
    """A metric of pyiqa with its gradient on, called with one pair at a time, so that no batch can mix."""

    def __init__(self, metric: nn.Module, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.metric = metric

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        pairs = zip(torch.split(dist, 1), torch.split(reference.image, 1), strict=True)
        scores = [self.metric(own, ref).reshape(1) for own, ref in pairs]
        return torch.cat(scores) if scores else dist.new_zeros(0)


def _load(settings: Metric, weights: Weights, info: ModelInfo) -> PyIQAMetric:
    """The metric as pyiqa downloads it.

    Raises:
        MissingExtra: pyiqa is not installed.
        UnknownName: pyiqa has no such metric.
        MissingWeights: pyiqa cannot download its weights.
    """
    refuse_weights(weights, info)
    pyiqa = _package()
    known = pyiqa.list_models(metric_mode="FR")
    if settings.version not in known:
        raise UnknownName("full-reference metric of pyiqa", settings.version, known)
    try:
        metric = pyiqa.create_metric(settings.version, as_loss=True, loss_reduction="none", device="cpu")
    except OSError as error:  # URLError and HTTPError are such
        how = "pyiqa prints their address; put the file there into ~/.cache/torch/hub/pyiqa, or try again online"
        raise MissingWeights(f"pyiqa:{settings.version}: its weights cannot be fetched ({error}); {how}.") from error
    return PyIQAMetric(metric, replace(info, lower_better=bool(metric.lower_better)))


def _package() -> ModuleType:
    try:
        return import_module("pyiqa")
    except ImportError as error:
        how = "pip install 'robustiqa[pyiqa]' brings it (PolyForm-Noncommercial-1.0.0: no commercial use)"
        raise MissingExtra(f"pyiqa cannot be imported ({error}): {how}.") from error


PYIQA: Final = ModelEntry(
    ModelInfo(
        "pyiqa",
        lower_better=False,
        paper="pyiqa:NAME, a metric of the pyiqa package, whose direction is known once it is loaded",
        licence=LICENCE,
        flags=(FLAG,),
    ),
    Metric,
    _load,
)
