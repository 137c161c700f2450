"""NT: the norm of the input gradient as a penalty (Liu et al., CVPR 2024: gradient norm regularisation).

||grad f||_1 is estimated by one finite difference along the gradient's sign, so that training needs no second
derivative: (f(x + h sign grad f) - f(x)) / h, squared, halved, averaged and weighted.
"""

from typing import Literal

import torch

from robustiqa.training.adversarial.drill import Drill
from robustiqa.training.lesson import Learner, Taught
from robustiqa.training.losses import regression_loss
from robustiqa.training.settings import Positive, Radius, Strict


class GradientNorm(Strict):
    """Eq. (6) + ``weight`` / 2 mean ((f(x + h s) - f(x)) / h)^2, s the sign of the gradient in the distorted image.

    Gradients are those of predicted labels; ``h`` is in [0, 1] units, and x + h s is not cut to [0, 1].
    """

    kind: Literal["gradient-norm"] = "gradient-norm"
    weight: Positive = 1e-3
    h: Radius = 0.01

    def __call__(self, learner: Learner, drill: Drill, alpha: float) -> Taught:
        batch = drill.batch
        x = drill.seen.detach().requires_grad_()
        reference = learner.model.prepare(batch.ref)
        prediction = learner.compare(reference, x)
        (gradient,) = torch.autograd.grad(prediction.sum(), x, retain_graph=True)
        moved = learner.compare(reference, x.detach() + self.h * gradient.sign())
        norm = (moved - prediction) / self.h
        loss = regression_loss(prediction, batch.label, alpha) + self.weight * (norm**2).mean() / 2
        figures = {"gradient_norm": float(norm.detach().mean()), **drill.theorem(prediction)}
        return Taught(loss, prediction, batch.label, self.passes(drill.count), figures)

    def passes(self, count: int) -> int:
        return 5 * count  # two forwards, the gradient in x, and the loss back through both forwards
