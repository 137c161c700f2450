"""What a full-reference quality model is: it prepares references once and compares distorted images with them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import check_pair


@dataclass(frozen=True)
class ModelInfo:
    """What one may know of a model without loading it.

    Attributes:
        name: the registry's name, such as ``lpips-alex``.
        lower_better: the score is a distance (True) or a quality (False).
        score_range: lowest and highest possible score; None where unbounded.
        min_size: smallest height and width in pixels.
        deterministic: a pair has one score; False where it is random, given the seeds of its :class:`Reference`.
        differentiable: the score has a useful gradient with respect to the distorted image.
        eot: draws of a randomised model that an attack on it averages by default.
        licence: of the weights, or of the formula's implementation.
        paper: where the model comes from.
        weights: file names (see ``robustiqa.models.weights``) with their sha256.
        trained_on: data the weights have seen, for the flags of the report.
        defense: label of the purifiers in front of the model, as it can be typed; empty where there are none.
    """

    name: str
    lower_better: bool
    paper: str
    score_range: tuple[float | None, float | None] = (None, None)
    min_size: int = 1
    deterministic: bool = True
    differentiable: bool = True
    eot: int = 1
    licence: str = "Apache-2.0"
    weights: tuple[tuple[str, str], ...] = ()
    trained_on: tuple[str, ...] = ()
    flags: tuple[str, ...] = field(default=())
    defense: str = ""

    @property
    def orientation(self) -> int:
        """+1 where a higher score is better, -1 where a lower one is: quality = orientation * score."""
        return -1 if self.lower_better else 1


class Reference(NamedTuple):
    """Reference images and whatever a model computed from them alone, sample by sample along dimension 0.

    ``seeds`` decide what a randomised model draws, one per sample; whoever compares sets them afresh for fresh draws.
    """

    image: Tensor
    features: tuple[Tensor, ...] = ()
    seeds: tuple[int, ...] = ()

    def select(self, index: Tensor) -> "Reference":
        """The references of the samples in ``index`` [M]."""
        if torch.equal(index, torch.arange(len(self.image), device=index.device)):
            return self  # most calls are for the whole batch, and features are many times as large as images
        seeds = tuple(self.seeds[i] for i in index.tolist()) if self.seeds else ()
        return Reference(self.image[index], tuple(feature[index] for feature in self.features), seeds)

    def seeded(self, seeds: Sequence[int]) -> "Reference":
        """The same references with other ``seeds`` [N]."""
        return self._replace(seeds=tuple(seeds))

    def generators(self) -> tuple[torch.Generator, ...]:
        """One CPU generator per sample, from its seed; from 0 where none were set, so that a plain score repeats."""
        seeds = self.seeds or (0,) * len(self.image)
        return tuple(torch.Generator().manual_seed(seed) for seed in seeds)


@runtime_checkable
class ExposesFeatures(Protocol):
    """A model that shows what it compares: attacks in feature space use it where it is there."""

    def feature_layers(self, reference: Reference, dist: Tensor) -> tuple[Tensor, ...]:
        """Features before the score, layer by layer [N, ...], of ``dist`` [N, 3, H, W] seen against ``reference``."""


class QualityModel(nn.Module, ABC):
    """A full-reference image quality model.

    A subclass gives ``info`` and :meth:`compare`, and :meth:`prepare` where work on the reference can be saved: an
    attack compares thousands of images with the same reference. The score of a sample must not depend on the other
    samples of the batch.
    """

    info: ModelInfo

    def prepare(self, ref: Tensor) -> Reference:
        """Whatever :meth:`compare` needs of the references ``ref`` [N, 3, H, W] in [0, 1], computed once."""
        return Reference(ref)

    @abstractmethod
    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        """Native scores [N] of ``dist`` [N, 3, H, W] in [0, 1] against prepared references."""

    def score(self, ref: Tensor, dist: Tensor) -> Tensor:
        """Native scores [N] of the pairs (``ref``, ``dist``), float [N, 3, H, W] in [0, 1].

        Raises:
            InvalidInput: shapes differ, values leave [0, 1], or images are smaller than ``info.min_size``.
        """
        check_pair(ref, dist, self.info.min_size)
        return self.compare(self.prepare(ref), dist)

    def forward(self, ref: Tensor, dist: Tensor) -> Tensor:
        return self.score(ref, dist)

    def frozen(self) -> "QualityModel":
        """The model itself, in evaluation mode and without parameter gradients: what attacks and benchmarks use."""
        return self.eval().requires_grad_(requires_grad=False)

    @property
    def device(self) -> torch.device:
        """Where the parameters or buffers live; the CPU for a model without any."""
        for tensor in (*self.parameters(), *self.buffers()):
            return tensor.device
        return torch.device("cpu")


def check_scores(scores: Tensor, count: int, name: str) -> Tensor:
    """``scores`` if they are one float per sample.

    Raises:
        InvalidInput: another shape: the model reduced over the batch, or kept a dimension.
    """
    if scores.shape != (count,):
        raise InvalidInput(f"model {name!r} returned scores of shape {tuple(scores.shape)}; wanted ({count},).")
    return scores
