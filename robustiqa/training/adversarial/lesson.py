"""A batch policy, an inner attack and a loss, put together into a training step."""

from dataclasses import dataclass

import numpy as np
import torch

from robustiqa.core.random import derive_seed
from robustiqa.training.adversarial.drill import AdversarialLoss, Drill
from robustiqa.training.adversarial.inner import Inner
from robustiqa.training.adversarial.policy import BatchPolicy
from robustiqa.training.batches import Batch
from robustiqa.training.lesson import Learner, Taught


@dataclass(frozen=True)
class AdversarialLesson:
    """Leave the anchors clean, attack the others, and take the loss of what is then seen.

    ``inner`` None trains on clean images alone; ``alpha`` weighs MSE in eq. (6).
    """

    policy: BatchPolicy
    inner: Inner | None
    loss: AdversarialLoss
    alpha: float
    seed: int

    def __call__(self, learner: Learner, batch: Batch, step: int) -> Taught:
        rng = np.random.default_rng(derive_seed("anchors", self.seed, step))
        anchors = self.policy.anchored(batch.label.double().numpy(force=True), rng)
        targets = torch.from_numpy(~anchors).to(batch.label.device)
        seen, spent, figures = batch.dist, 0, {}
        if self.inner is not None and bool(targets.any()):
            part = Batch(batch.ref[targets], batch.dist[targets], batch.label[targets])
            seen = batch.dist.clone()
            seen[targets] = self.inner.attack(learner, part, self.alpha, step, self.seed)
            spent = self.inner.passes * len(part.label)
            figures = {"eps": self.inner.growth(step) * self.inner.eps}
        taught = self.loss(learner, Drill(batch, seen, anchors), self.alpha)
        return Taught(
            taught.loss, taught.prediction, taught.label, taught.passes + spent, {**figures, **taught.figures}
        )

    def passes(self, count: int) -> int:
        attacked = count - self.policy.kept(count)
        return self.loss.passes(count) + (0 if self.inner is None else self.inner.passes * attacked)
