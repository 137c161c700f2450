"""Training defenses by name: the same architecture with weights that adversarial fine-tuning has made robust."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import build, split_named
from robustiqa.core.random import own_random_numbers
from robustiqa.defenses.base import Defense
from robustiqa.models import TRAINABLE
from robustiqa.models.defended import find_defended
from robustiqa.models.weights import sha256_of

LABELS: Final = "kadid10k-means"  # what every recipe of robustiqa train learns from


@dataclass(frozen=True)
class TrainedDefense(Defense):
    """The model's architecture with the checkpoint of the recipe of this name; ``weights`` names another file."""

    weights: str = ""

    def apply(self, model: QualityModel) -> QualityModel:
        """The defended model; whatever weights ``model`` has are left behind.

        Raises:
            InvalidInput: the model cannot be trained, has purifiers in front of it, or does not fit the checkpoint.
            MissingWeights: the checkpoint was found nowhere (with the command that makes it).
        """
        name, parameters = split_named(model.info.name)
        if name not in TRAINABLE.names():
            known = ", ".join(TRAINABLE.names())
            raise InvalidInput(f"{self.name} is trained, and {name!r} cannot be: {known} can. Use a purifier instead.")
        if model.info.defense:
            raise InvalidInput(f"{self.name} replaces the model behind {model.info.defense}; apply it first.")
        entry = TRAINABLE.get(name).entry
        path = Path(self.weights) if self.weights else find_defended(name, self.name)
        with own_random_numbers():
            defended = entry.load(build(entry.parameters, parameters), path, entry.info)
        trained_on = tuple(dict.fromkeys((*entry.info.trained_on, LABELS)))
        defended.info = replace(
            defended.info, name=model.info.name, weights=((path.name, sha256_of(path)),), trained_on=trained_on
        )
        return defended.to(model.device).frozen()


class R(TrainedDefense):
    """Vanilla adversarial training: the training loss where PGD left it."""

    name: ClassVar[str] = "r"
    paper: ClassVar[str] = "Ghazanfari et al., 2023, arXiv 2307.15157; eq. (2) of the BiRQA paper"


class AT(TrainedDefense):
    """Adversarial training with labels that fall by how much the attack changed the image."""

    name: ClassVar[str] = "at"
    paper: ClassVar[str] = "Chistyakova et al., Technologies 12:220, 2024"


class NT(TrainedDefense):
    """Training with the norm of the input gradient as a penalty."""

    name: ClassVar[str] = "nt"
    paper: ClassVar[str] = "Liu et al., CVPR 2024"


class AAT(TrainedDefense):
    """Anchored adversarial training: attacked images ranked against clean anchors of nearly the same quality."""

    name: ClassVar[str] = "aat"
    paper: ClassVar[str] = "BiRQA: Bidirectional Robust Quality Assessment for Images, section 3.3"
