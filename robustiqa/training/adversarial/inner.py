"""The inner maximisation of adversarial training (Madry et al., ICLR 2018): PGD, or FGSM as one step of it."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from robustiqa.attacks.budget import Linf
from robustiqa.core.random import RandomStreams, derive_seed
from robustiqa.training.batches import Batch
from robustiqa.training.lesson import Learner
from robustiqa.training.losses import regression_loss
from robustiqa.training.settings import Radius, Strict

Goal = Literal["loss", "up", "down", "random"]


class Inner(Strict):
    """``steps`` sign-gradient steps of ``alpha`` in the L-infinity ball of ``eps``; the last iterate is trained on.

    Attributes:
        goal: what it maximises: the regression ``loss`` of eq. (6), the reported quality (``up``), its opposite
            (``down``), or one of these two per sample, by a fair coin (``random``).
        random_start: from a uniformly random point of the ball rather than from the image.
        warmup: steps of training over which eps and alpha grow linearly to their full size.
    """

    steps: int = Field(10, ge=1)
    eps: Radius = 8 / 255
    alpha: Radius = 2 / 255
    goal: Goal = "loss"
    random_start: bool = True
    warmup: int = Field(0, ge=0)

    @property
    def passes(self) -> int:
        """Forward and backward passes per attacked sample."""
        return 2 * self.steps

    def growth(self, step: int) -> float:
        """Share of the full eps at a training step."""
        return min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0

    def attack(self, learner: Learner, batch: Batch, alpha: float, step: int, seed: int) -> Tensor:
        """Attacked images [N, 3, H, W] of ``batch``, exactly within eps and [0, 1]; no parameter's gradient is touched.

        Args:
            alpha: weight of the regression loss, eq. (6).
            step, seed: decide the random start and the random directions.
        """
        growth = self.growth(step)
        ball = Linf.around(batch.dist, growth * self.eps)
        x = ball.random_point(_streams(seed, step, len(batch.label))) if self.random_start else batch.dist
        objective = self._objective(learner, batch, alpha, derive_seed("direction", seed, step))
        for _ in range(self.steps):
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(objective(x), x)
            steepest = ball.steepest(torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0))
            x = ball.project(x.detach() + growth * self.alpha * steepest)
        return x.detach()

    def _objective(self, learner: Learner, batch: Batch, alpha: float, seed: int) -> Callable[[Tensor], Tensor]:
        with torch.no_grad():
            reference = learner.model.prepare(batch.ref)
        if self.goal == "loss":
            return lambda x: regression_loss(learner.compare(reference, x), batch.label, alpha)
        coins = np.random.default_rng(seed).choice((-1.0, 1.0), len(batch.label))
        signs = {"up": np.ones_like(coins), "down": -np.ones_like(coins), "random": coins}[self.goal]
        towards = torch.from_numpy(signs).to(batch.label) * learner.model.info.orientation
        return lambda x: (towards * learner.model.compare(reference, x)).sum()


def _streams(seed: int, step: int, count: int) -> RandomStreams:
    return RandomStreams(derive_seed("inner attack", seed, step), "pgd", tuple(map(str, range(count))))
