"""The same PGD from the same start, four ways: ours, a plain loop, and two libraries as their users would call them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import robustiqa as rq
from robustiqa.attacks.budget import Linf
from robustiqa.attacks.gradient_sign import ascend
from robustiqa.attacks.search import Search
from robustiqa.core.model import QualityModel
from robustiqa.core.precision import EXACT, Haste

EPS, ALPHA = 8 / 255, 1 / 255
Attack = Callable[[], Tensor]


@dataclass(frozen=True)
class Setting:
    """A model, images [N, 3, H, W], and the number of steps that each way takes to raise the quality."""

    model: QualityModel
    ref: Tensor
    dist: Tensor
    steps: int

    def j(self, x: Tensor) -> Tensor:
        """J [N] of images, by the model itself."""
        with torch.no_grad():
            return self.model.info.orientation * self.model(self.ref, x)


def ours(setting: Setting, haste: Haste = EXACT) -> Attack:
    """The search of our PGD without its harness: the reference prepared once, the best iterate kept."""

    def attack() -> Tensor:
        objective = rq.Objective(setting.model, setting.ref, "up", haste=haste)
        ball = Linf.around(setting.dist, EPS)
        search = Search(objective, ball, torch.full((len(setting.dist),), -torch.inf))
        return ascend(search, setting.dist, ball, ALPHA, setting.steps)

    return attack


def whole_run(setting: Setting, haste: Haste = EXACT) -> Attack:
    """Our PGD with all its checks: clean, last, best and 8-bit scores are six more forward passes."""
    pgd = rq.load_attack("pgd", steps=setting.steps, alpha=ALPHA, random_start=False)
    return lambda: pgd.run(rq.Objective(setting.model, setting.ref, "up", haste=haste), setting.dist, EPS).adversarial


def loop(setting: Setting) -> Attack:
    """The loop of a notebook: it scores the pair, reference and all, in every step."""

    def attack() -> Tensor:
        low, high = (setting.dist - EPS).clamp(0, 1), (setting.dist + EPS).clamp(0, 1)
        x = setting.dist
        for _ in range(setting.steps):
            x = x.detach().requires_grad_()
            j = setting.model.info.orientation * setting.model(setting.ref, x).sum()
            (gradient,) = torch.autograd.grad(j, x)
            x = torch.minimum(torch.maximum(x.detach() + ALPHA * gradient.sign(), low), high)
        return x

    return attack


class Regressor(nn.Module):
    """J [N, 1] of a batch whose references are held."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.model, self.ref = setting.model, setting.ref

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.model.info.orientation * self.model(self.ref[: len(x)], x)
        return scores[:, None]


class TwoLogits(Regressor):
    """Two classes, of which the label 0 is left as J rises: what a library of classifiers' attacks can take."""

    def forward(self, x: Tensor) -> Tensor:
        j = super().forward(x)
        return torch.cat((-j, j), 1)


def torchattacks_pgd(setting: Setting) -> Attack:
    """``torchattacks.PGD`` on two logits."""
    import torchattacks  # noqa: PLC0415 (an extra, and slow to import)

    attack = torchattacks.PGD(TwoLogits(setting).eval(), eps=EPS, alpha=ALPHA, steps=setting.steps, random_start=False)
    labels = torch.zeros(len(setting.dist), dtype=torch.int64)
    return lambda: attack(setting.dist, labels)


def art_pgd(setting: Setting) -> Attack:
    """ART's ``ProjectedGradientDescent`` on a regressor, whose loss is J."""
    import numpy as np  # noqa: PLC0415 (with the extra)
    from art.attacks.evasion import ProjectedGradientDescent  # noqa: PLC0415 (as above)
    from art.estimators.regression import PyTorchRegressor  # noqa: PLC0415 (as above)

    count, shape = len(setting.dist), tuple(setting.dist.shape[1:])
    estimator = PyTorchRegressor(
        Regressor(setting).eval(), loss=lambda j, _target: j.sum(), input_shape=shape, clip_values=(0.0, 1.0),
        device_type="cpu",
    )  # fmt: skip
    attack = ProjectedGradientDescent(
        estimator, eps=EPS, eps_step=ALPHA, max_iter=setting.steps, batch_size=count, verbose=False
    )
    images, targets = setting.dist.numpy(), np.zeros((count, 1), dtype=np.float32)
    return lambda: torch.from_numpy(attack.generate(images, y=targets))
