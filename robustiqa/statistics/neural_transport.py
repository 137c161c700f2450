"""A small neural optimal transport map between one-dimensional samples, for comparison with the paper's.

The BiRQA paper maps scores with neural optimal transport. With a quadratic cost the map is the gradient of a convex
potential f that minimises E f(x) + E f*(y) (Brenier); f is an input-convex network here (Amos et al., ICML 2017;
Makkuva et al., ICML 2020), one layer of softplus units, so that its gradient rises by construction. The conjugate
f*(y) = max_x (x y - f(x)) is taken at the x where the gradient is y, on a grid, so that nothing is fitted against
anything else: the objective only falls, and one seed gives one map. Needs torch; imported when a neural map is asked
for.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from robustiqa.statistics._arrays import FloatArray

UNITS: Final = 32
STEPS: Final = 400
LEARNING_RATE: Final = 0.03
GRID: Final = 513
MARGIN: Final = 0.25  # of the grid beyond the source, in units of its range
SHARPNESS: Final = 15.0  # of the units before training
MOST: Final = 512  # samples of a side; more are taken as so many quantiles


class ConvexPotential(torch.nn.Module):
    """f(x) = c x + s x^2 / 2 + sum of a / w softplus(w (x - b)), a, s, w > 0; its gradient is the map."""

    def __init__(self, knots: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        noise = torch.randn(knots.shape, generator=generator, dtype=knots.dtype)
        self.b = torch.nn.Parameter(knots.clone())
        self.w = torch.nn.Parameter(_inverse_softplus(SHARPNESS) + 0.1 * noise)
        self.a = torch.nn.Parameter(torch.full_like(knots, _inverse_softplus(1 / len(knots))))
        self.c = torch.nn.Parameter(torch.zeros((), dtype=knots.dtype))
        self.s = torch.nn.Parameter(torch.full((), -2.0, dtype=knots.dtype))

    def forward(self, x: Tensor) -> Tensor:
        w = softplus(self.w)
        units = softplus(self.a) / w * softplus(w * (x[:, None] - self.b))
        return self.c * x + softplus(self.s) * x**2 / 2 + units.sum(1)

    def gradient(self, x: Tensor) -> Tensor:
        units = softplus(self.a) * torch.sigmoid(softplus(self.w) * (x[:, None] - self.b))
        return self.c + softplus(self.s) * x + units.sum(1)


def neural_transport(source: FloatArray, target: FloatArray, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """The map from samples ``source`` [n] to samples ``target`` [m], both about [0, 1], as points (x, T(x)) of it.

    Args:
        seed: of the initial weights; the global generators are not touched.
    """
    x, y = (torch.from_numpy(_quantiles(side)) for side in (source, target))
    low, high = float(source.min()), float(source.max())
    margin = MARGIN * (high - low)
    grid = torch.linspace(low - margin, high + margin, GRID, dtype=x.dtype)
    knots = torch.quantile(x, torch.linspace(0, 1, UNITS, dtype=x.dtype))
    with torch.enable_grad():
        potential = _trained(ConvexPotential(knots, torch.Generator().manual_seed(seed)), x, y, grid)
    points = np.linspace(low, high, GRID)
    with torch.no_grad():
        return points, potential.gradient(torch.from_numpy(points)).numpy()


def _trained(potential: ConvexPotential, x: Tensor, y: Tensor, grid: Tensor) -> ConvexPotential:
    optimizer = torch.optim.Adam(potential.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        with torch.no_grad():
            where = torch.searchsorted(potential.gradient(grid), y).clamp_max(len(grid) - 1)
        best = grid[where]  # by the envelope theorem its own change adds nothing to the gradient
        loss = potential(x).mean() + (best * y - potential(best)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return potential


def _quantiles(values: FloatArray) -> FloatArray:
    ordered = np.sort(values)
    if ordered.size <= MOST:
        return ordered
    shares = (np.arange(MOST) + 0.5) / MOST
    quantiles: FloatArray = np.quantile(ordered, shares, method="hazen")
    return quantiles


def _inverse_softplus(value: float) -> float:
    return float(np.log(np.expm1(value)))
