"""What stands behind the name of a model that can be trained: its start, what trains, and what is saved."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.random import derive_seed, own_random_numbers
from robustiqa.models.entry import ModelEntry
from robustiqa.models.weights import Tensors

P = TypeVar("P")


def _nothing(_: nn.Module) -> None:
    pass


@dataclass(frozen=True)
class Trainable(Generic[P]):
    """A name that ``robustiqa train`` takes.

    Attributes:
        entry: its parameters, and how a checkpoint is loaded: to train on from it, and ever after.
        fresh: the model before the first step; it draws from torch's global generator.
        saved: tensors of a checkpoint, by names that ``entry.load`` reads.
        frozen: sub-modules that keep their weights.
        half: checkpoints are float16.
        on_label_scale: scores are labels, from 1 to 5; False lets the loss alone map them there (``LabelScale``).
        constrain: what the weights must keep to, restored in place after every step.
        before: data that the weights of ``fresh`` have seen.
    """

    entry: ModelEntry[P]
    fresh: Callable[[P, ModelInfo], QualityModel]
    saved: Callable[[QualityModel], Tensors]
    frozen: tuple[str, ...] = ()
    half: bool = False
    on_label_scale: bool = True
    constrain: Callable[[nn.Module], None] = _nothing
    before: tuple[str, ...] = ()

    def begin(self, settings: P, start: Path | None, seed: int) -> QualityModel:
        """The model to train, with gradients for what trains: from the checkpoint ``start``, or as ``seed`` draws it.

        Raises:
            MissingWeights: weights that it starts from were found nowhere (with every way to get them).
            InvalidInput: ``start`` does not fit the architecture.
        """
        if start is not None:
            return self.resume(settings, start)
        torch.manual_seed(derive_seed("initial weights", seed))
        return self._learning(self.fresh(settings, self.entry.info))

    def resume(self, settings: P, start: Path | None) -> QualityModel:
        """The model to train on: from the checkpoint ``start``, or from the weights that its name stands for.

        Raises:
            MissingWeights: they were found nowhere (with every way to get them).
            InvalidInput: ``start`` does not fit the architecture.
        """
        with own_random_numbers():
            return self._learning(self.entry.load(settings, start, self.entry.info))

    def _learning(self, model: QualityModel) -> QualityModel:
        model.requires_grad_()
        for name in self.frozen:
            model.get_submodule(name).requires_grad_(requires_grad=False)
        return model

    def checkpoint(self, model: QualityModel) -> dict[str, Tensor]:
        """The tensors of ``model`` that a checkpoint holds, each with memory of its own."""
        tensors = {name: tensor.detach().clone().contiguous() for name, tensor in self.saved(model).items()}
        return {name: tensor.half() if self.half else tensor for name, tensor in tensors.items()}
