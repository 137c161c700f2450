"""Attacks of torchattacks (Kim, arXiv 2010.01950), through two logits that cannot saturate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Calls
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.engines.bridge import TwoLogits
from robustiqa.attacks.engines.engine import Engine, Recipe
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

CHECKS: Final = 3  # passes that Square spends beside its iterations: is the label right before, the stripes, and after
NEIGHBOURS: Final = 5  # that VMI-FGSM takes the variance of its gradient over
NAMES: Final = {"restarts": "n_restarts"}
STEPS: Final = {"steps": 10, "alpha": 2 / 255}
MOMENTUM: Final = {**STEPS, "decay": 1.0}


@dataclass(frozen=True)
class TorchAttacks(Engine):
    """An attack of torchattacks: ``torchattacks:pgd``, ``torchattacks:apgd,steps=100``, ``torchattacks:square``, ...

    ``cw`` minimises the L2 size of a perturbation and knows no ε: of what it tries, images inside the ball count.
    """

    name: ClassVar[str] = "torchattacks"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Kim, arXiv 2010.01950"
    library: ClassVar[str] = "torchattacks"
    package: ClassVar[str] = "torchattacks"
    recipes: ClassVar[Mapping[str, Recipe]] = {
        "apgd": Recipe("APGD", {"steps": 100, "restarts": 1}),
        "bim": Recipe("BIM", STEPS),
        "cw": Recipe("CW", {"steps": 50, "lr": 0.01, "c": 1.0}),
        "fgsm": Recipe("FGSM", {}),
        "mifgsm": Recipe("MIFGSM", MOMENTUM),
        "nifgsm": Recipe("NIFGSM", MOMENTUM),
        "pgd": Recipe("PGD", {**STEPS, "random_start": True}),
        "square": Recipe("Square", {"queries": 5000, "p_init": 0.8}, access="black-box"),
        "vmifgsm": Recipe("VMIFGSM", MOMENTUM),
    }

    version: Literal["apgd", "bim", "cw", "fgsm", "mifgsm", "nifgsm", "pgd", "square", "vmifgsm"] = "pgd"

    @property
    def chosen(self) -> str:
        return self.version

    @property
    def calls(self) -> Calls:
        steps = self.steps or 1
        if self.version == "vmifgsm":
            return Calls(gradients=steps * (1 + NEIGHBOURS))
        if self.version == "apgd":  # which looks at the end whether the label is still right
            return Calls(values=1, gradients=(self.restarts or 1) * (steps + 1))
        return super().calls

    def _attack_one(
        self, search: Search, x: Tensor, ball: Ball, sample: int, random: RandomStreams, seed: int
    ) -> Tensor:
        import torchattacks  # noqa: PLC0415 (an extra, and slow to import)

        logits = TwoLogits.around(search, ball, sample, random)
        attack = getattr(torchattacks, self.recipe.builds)(logits, **self._arguments(ball.eps, seed))
        adversarial: Tensor = attack(x, torch.zeros(1, dtype=torch.int64, device=x.device))
        return adversarial

    def _arguments(self, eps: float, seed: int) -> dict[str, Any]:
        """In the library's names; those that draw after seeding themselves are told the seed, or time would be it."""
        arguments: dict[str, Any] = {NAMES.get(name, name): value for name, value in self.parameters.items()}
        if "queries" in arguments:
            arguments["n_queries"] = arguments.pop("queries") - CHECKS
        if self.version in {"apgd", "square"}:
            arguments["seed"] = seed
        return arguments if self.version == "cw" else {"eps": eps, **arguments}
