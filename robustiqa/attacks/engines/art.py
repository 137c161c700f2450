"""Attacks of the Adversarial Robustness Toolbox (Nicolae et al., arXiv 1807.01069), on the score itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robustiqa.attacks.base import Access
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.engines.bridge import Bridge
from robustiqa.attacks.engines.engine import Engine, Recipe
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams

Array = NDArray[np.float32]
PER_ITERATION: Final = 3  # Square asks for the label, the score of the best and that of the candidate, each time anew
NAMES: Final = {"steps": "max_iter", "alpha": "eps_step"}
STEPS: Final = {"steps": 10, "alpha": 2 / 255}


def art_modules() -> tuple[Any, Any]:
    """ART's evasion attacks and its estimators of regressors.

    The first import in a home folder leaves a configuration there. A second process that imports it at that moment may
    find the file after ART looked for it, and ART then ends in a NameError; the next attempt reads it.
    """
    try:
        return _imported()
    except NameError:
        return _imported()


def _imported() -> tuple[Any, Any]:
    from art.attacks import evasion  # noqa: PLC0415 (an extra, and slow to import)
    from art.estimators import regression  # noqa: PLC0415

    return evasion, regression


@dataclass(frozen=True)
class ART(Engine):
    """An attack of the Adversarial Robustness Toolbox: ``art:fgm``, ``art:pgd``, ``art:mifgsm`` or ``art:square``.

    These take a regressor, so that J itself is the loss. Its PGD has no random start then; APGD, AutoAttack and C&W
    refuse regressors.
    """

    name: ClassVar[str] = "art"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Nicolae et al., arXiv 1807.01069"
    library: ClassVar[str] = "adversarial-robustness-toolbox"
    package: ClassVar[str] = "art"
    recipes: ClassVar[Mapping[str, Recipe]] = {
        "fgm": Recipe("FastGradientMethod", {}),
        "mifgsm": Recipe("MomentumIterativeMethod", {**STEPS, "decay": 1.0}),
        "pgd": Recipe("ProjectedGradientDescent", STEPS),
        "square": Recipe("SquareAttack", {"queries": 5000, "p_init": 0.8}, access="black-box"),
    }

    version: Literal["fgm", "mifgsm", "pgd", "square"] = "pgd"

    @property
    def chosen(self) -> str:
        return self.version

    def _attack_one(
        self,
        search: Search,
        x: Tensor,
        ball: Ball,
        sample: int,
        random: RandomStreams,  # noqa: ARG002 (its numbers come from numpy, seeded)
        seed: int,  # noqa: ARG002
    ) -> Tensor:
        evasion, regression = art_modules()
        estimator = regression.PyTorchRegressor(
            Bridge(search, ball, sample),
            loss=lambda j, _target: j.sum(),
            input_shape=tuple(x.shape[1:]),
            clip_values=(0.0, 1.0),
            device_type="gpu" if x.device.type == "cuda" else "cpu",
        )
        arguments = self._square(estimator, x) if self.version == "square" else self._gradient()
        attack = getattr(evasion, self.recipe.builds)(estimator, eps=ball.eps, batch_size=1, **arguments)
        adversarial = attack.generate(x.cpu().numpy(), y=np.zeros((1, 1), dtype=np.float32))
        return torch.from_numpy(adversarial).to(x)

    def _gradient(self) -> dict[str, Any]:
        named = {NAMES.get(name, name): value for name, value in self.parameters.items()}
        return {**named, "verbose": False} if named else named

    def _square(self, estimator: Any, x: Tensor) -> dict[str, Any]:  # noqa: ANN401 (a class of the library)
        height, width = x.shape[-2:]
        queries, p_init = self.parameters["queries"], self.parameters["p_init"]
        side = max(round((p_init * height * width) ** 0.5), 1)
        if side >= min(height, width):
            raise InvalidInput(
                f"art:square cannot place its first window of {side} pixels in an image of {height} x {width}; "
                "lower p_init, or use square."
            )

        def loss(images: Array, _label: Array) -> Array:
            predicted: Array = -estimator.predict(images)[:, 0]
            return predicted

        return {
            "max_iter": int(queries - PER_ITERATION) // PER_ITERATION,  # the first three: label, image and stripes
            "p_init": p_init,
            "loss": loss,
            "adv_criterion": lambda predicted, _label: np.zeros(len(predicted), dtype=bool),
            "verbose": False,
        }
