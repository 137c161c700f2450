"""R-: vanilla adversarial training, eq. (2) of the BiRQA paper: the training loss where the inner attack left it.

R-LPIPS (Ghazanfari et al., 2023, arXiv 2307.15157) did so with a ranking loss on pairs; its published inner attack
followed a new untrained head at every step (a near-random direction). Here it maximises the loss that is trained.
"""

from typing import Literal

from robustiqa.training.adversarial.drill import Drill
from robustiqa.training.lesson import Learner, Taught
from robustiqa.training.losses import regression_loss
from robustiqa.training.settings import Strict


class Regression(Strict):
    """Eq. (6) on the images as they are seen: attacked, and those that stayed clean."""

    kind: Literal["regression"] = "regression"

    def __call__(self, learner: Learner, drill: Drill, alpha: float) -> Taught:
        label = drill.batch.label
        prediction = learner.predict(drill.batch.ref, drill.seen)
        loss = regression_loss(prediction, label, alpha)
        return Taught(loss, prediction, label, self.passes(drill.count), drill.theorem(prediction))

    def passes(self, count: int) -> int:
        return 2 * count
