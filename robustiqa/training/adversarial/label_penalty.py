"""AT-: labels that fall with what the attack did to the image (Chistyakova et al., Technologies 12:220, 2024).

MOS' = clip(MOS - p (1 - SSIM(attacked, un-attacked)) (MAX - MIN), MIN, MAX), with the same batch clean beside it. The
authors attack the training loss by one FGSM step of 4/255 and train with norm-in-norm on KonIQ; here eq. (6) is the
regression loss of every defense, and the inner attack is the recipe's, so that defenses differ in their idea alone.
"""

from typing import Final, Literal

import torch
from pydantic import Field

from robustiqa.models.ssim import ssim
from robustiqa.training.adversarial.drill import Drill
from robustiqa.training.lesson import Learner, Taught
from robustiqa.training.losses import regression_loss
from robustiqa.training.settings import Strict

LOWEST: Final = 1.0  # of KADID-10k's scale
HIGHEST: Final = 5.0


class LabelPenalty(Strict):
    """Eq. (6) on attacked images with penalised labels, and on the same images clean; ``penalty`` is p."""

    kind: Literal["label-penalty"] = "label-penalty"
    penalty: float = Field(1.0, ge=0)

    def __call__(self, learner: Learner, drill: Drill, alpha: float) -> Taught:
        batch = drill.batch
        with torch.no_grad():
            damage = 1 - ssim(batch.dist, drill.seen)
        lowered = (batch.label - self.penalty * damage * (HIGHEST - LOWEST)).clamp(LOWEST, HIGHEST)
        label = torch.cat((lowered, batch.label))
        prediction = learner.predict(torch.cat((batch.ref, batch.ref)), torch.cat((drill.seen, batch.dist)))
        loss = regression_loss(prediction, label, alpha)
        figures = {"penalty": float((batch.label - lowered).mean())}
        return Taught(loss, prediction, label, self.passes(drill.count), figures)

    def passes(self, count: int) -> int:
        return 4 * count
