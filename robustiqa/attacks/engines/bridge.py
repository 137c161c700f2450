"""The objective as the networks that attack libraries want: it counts, keeps the best, and notices a dead loss.

A library may drop samples of a batch, return the clean image of what it could not "fool", or stop at the first
success. None of it matters here: it gets one sample at a time, so nothing can be mispaired, and every candidate that it
evaluates is scored by our search, which keeps the best one inside the ball.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn

from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

SLACK: Final = 1e-6  # libraries clip to the ball in float32; what they miss it by is rounding and is taken back


class Bridge(nn.Module):
    """J [M] of any number of candidates [M, 3, H, W] of one sample, differentiable."""

    def __init__(self, search: Search, ball: Ball, sample: int) -> None:
        super().__init__()
        self._search, self._ball, self._sample = search, ball, sample
        device = ball.center.device
        self.device_of = nn.Parameter(torch.zeros((), device=device), requires_grad=False)  # libraries look for one

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and x.requires_grad:
            j: Tensor = _Signal.apply(x, self)
            return j
        return self._search.value(*self._candidates(x))

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient, as our own attacks get them, in the library's precision."""
        j, gradient = self._search.value_and_grad(*self._candidates(x))
        return j, gradient.to(x.dtype)

    def note(self, gradient: Tensor, passed_on: Tensor) -> None:
        """Compare the objective's gradient [M, 3, H, W] with what the library's loss left of it."""
        lost = _has_any(gradient) & ~_has_any(passed_on.nan_to_num(nan=0.0))
        index = torch.full((len(lost),), self._sample, device=gradient.device)
        self._search.note_saturated(index[lost])

    def _candidates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``x`` with rounding undone where it is just outside the ball, and its index; what is far out stays there."""
        index = torch.full((len(x),), self._sample, device=x.device)
        x = x.detach().to(self._ball.center.dtype)
        nearest = self._ball.project(x, index)
        slack = max(SLACK, torch.finfo(x.dtype).eps)
        near = ((nearest - x).abs() <= slack).flatten(1).all(1)
        return torch.where(near[:, None, None, None], nearest, x), index


class _Signal(torch.autograd.Function):
    """J forwards, with its gradient taken at once and handed out backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bridge: Bridge) -> Tensor:  # noqa: ANN401
        j, gradient = bridge.value_and_grad(x)
        ctx.save_for_backward(gradient)
        ctx.bridge = bridge
        return j

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:  # noqa: ANN401
        (gradient,) = ctx.saved_tensors
        passed_on = slopes[0][:, None, None, None] * gradient
        ctx.bridge.note(gradient, passed_on)
        return passed_on, None


class TwoLogits(nn.Module):
    """Logits (-u, u) [M, 2] in float64 of candidates, for libraries that know classes only; the label is 0.

    u = t / (1 + abs(t)) - 1 with t = (J - clean J) / scale rises strictly with J and stays in (-2, 0): the margin
    never leaves (-4, 0), so that cross-entropy neither saturates (in float32 it is 0 from a margin of 17) nor is the
    label ever lost, at which libraries stop. Sign-gradient attacks follow the same path for every rising function of J.
    ``scale`` is what one random corner of the ball moves J by, so that t is neither tiny nor huge for a score of any
    range; the two passes are the harness's.
    """

    def __init__(self, bridge: Bridge, start: float, scale: float) -> None:
        super().__init__()
        self.bridge, self._start, self._scale = bridge, start, scale

    @classmethod
    def around(cls, search: Search, ball: Ball, sample: int, random: RandomStreams) -> "TwoLogits":
        """The logits of one sample, scaled by what ``random``'s corner of its ball does to it."""
        start, scale = scale_of(search, ball, sample, random)
        return cls(Bridge(search, ball, sample), start, scale)

    def forward(self, x: Tensor) -> Tensor:
        t = (self.bridge(x).double() - self._start) / self._scale
        u = t / (1 + t.abs()) - 1
        return torch.stack((-u, u), 1)


def scale_of(search: Search, ball: Ball, sample: int, random: RandomStreams) -> tuple[float, float]:
    """Clean J of a sample, and how far a random corner of its ball is from it; at least a thousandth of it, never 0."""
    index = torch.tensor([sample], device=ball.center.device)
    toss = torch.rand(ball.center[index].shape, generator=random.generators()[sample]).to(index.device)
    corner = torch.where(toss < 0.5, ball.low[index], ball.high[index])
    start, moved = (float(search.peek(x, index)) for x in (ball.center[index], corner))
    start = start if abs(start) < float("inf") else 0.0
    step = abs(moved - start) if abs(moved) < float("inf") else 0.0
    return start, max(step, abs(start) / 1000) or 1.0


def _has_any(rows: Tensor) -> Tensor:
    return rows.flatten(1).bool().any(1)
