"""The step that FGSM, BIM and PGD share: along the sign of the gradient, back into the ball."""

from torch import Tensor

from robustiqa.attacks.budget import Linf
from robustiqa.attacks.search import Search


def ascend(search: Search, x: Tensor, ball: Linf, alpha: float, steps: int) -> Tensor:
    """``steps`` steps x <- P(x + alpha sign(dJ/dx)) from ``x`` [N, 3, H, W]; the last iterate.

    Every iterate is scored by the next step's gradient pass, and the last one by the harness: no pass is wasted.
    """
    for _ in range(steps):
        _, gradient = search.value_and_grad(x)
        x = ball.project(x + alpha * gradient.sign())
    return x
