"""The step that FGSM, BIM and PGD share: in the ball's steepest direction, back into the ball."""

from torch import Tensor

from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search


def ascend(search: Search, x: Tensor, ball: Ball, alpha: float, steps: int) -> Tensor:
    """``steps`` steps x <- P(x + alpha d) from ``x`` [N, 3, H, W]; the last iterate.

    d is the steepest direction of the ball's norm: the gradient's sign, or the gradient at a root mean square of 1.

    Every iterate is scored by the next step's gradient pass, and the last one by the harness: no pass is wasted.
    """
    for _ in range(steps):
        _, gradient = search.value_and_grad(x)
        x = ball.project(x + alpha * ball.steepest(gradient))
    return x
