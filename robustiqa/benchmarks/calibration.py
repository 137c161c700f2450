"""Attacks at equal visibility: each sample's ε is bisected until a metric finds the change as large as asked for.

At equal ε attacks differ much in what one sees of them, so that a comparison at equal ε is also one of visibility.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from robustiqa.benchmarks.cell import CalibrationRecord, SampleRow
from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.models import load_model

LARGEST: Final = 64 / 255  # ε that is looked at where none is given
SMALLEST: Final = 0.25 / 255
HALVINGS: Final = 8  # of the logarithm of ε: neighbours of the last one differ by 2 %
NEAR: Final = 0.002  # of the target: near enough to stop


@dataclass(frozen=True)
class Calibration:
    """The target of a metric between the un-attacked image and the attacked one, such as SSIM 0.95."""

    metric: QualityModel
    target: float

    def record(self) -> CalibrationRecord:
        """What a cell says of it."""
        return CalibrationRecord(
            metric=self.metric.info.name, target=self.target, weights=weights_digest(self.metric)
        )

    def excess(self, dist: Tensor, adversarial: Tensor) -> float:
        """By how much the metric's quality of one image [3, H, W] is above the target; below 0 it is too visible."""
        with torch.no_grad():
            score = float(self.metric.to(dist.device).score(dist[None], adversarial[None])[0])
        return self.metric.info.orientation * (score - self.target)


def calibration(text: str) -> Calibration:
    """The calibration spelled ``ssim=0.95``.

    Raises:
        InvalidInput: no such spelling or model, or a target that the metric's range has not got.
    """
    name, equals, value = text.rpartition("=")
    try:
        target = float(value)
    except ValueError:
        target = math.nan
    if not equals or not name or not math.isfinite(target):
        raise InvalidInput(f"calibrate {text!r} is not METRIC=TARGET; write it as ssim=0.95 or dists=0.05.")
    metric = load_model(name)
    low, high = metric.info.score_range
    if (low is not None and target < low) or (high is not None and target > high):
        raise InvalidInput(f"calibrate {text!r}: scores of {name} go from {low} to {high}; choose a target in between.")
    return Calibration(metric, target)


@dataclass(frozen=True)
class Trial:
    """A sample attacked at some ε: its row, and the adversarial [3, H, W] before and after rounding to 8 bits."""

    row: SampleRow
    exact: Tensor
    adversarial: Tensor


Attempt = Callable[[Sequence[int], float], Sequence[Trial]]


@dataclass
class _Bracket:
    """Where one sample's ε is looked for, and what was found on the way."""

    low: float
    high: float
    still: Trial | None = None
    unseen: Trial | None = None
    seen: Trial | None = None
    near: bool = False
    forwards: int = 0
    backwards: int = 0
    seconds: float = 0.0

    @property
    def middle(self) -> float:
        return math.sqrt(self.low * self.high)

    def take(self, trial: Trial, eps: float, excess: float, slack: float) -> None:
        self.forwards += trial.row.forwards
        self.backwards += trial.row.backwards
        self.seconds += trial.row.seconds
        trial = Trial(trial.row.model_copy(update={"eps": eps}), trial.exact, trial.adversarial)
        if not trial.row.linf:  # nothing better than the image itself was found: a shorter step may find something
            self.high, self.still = eps, trial
        elif excess >= 0:
            self.low, self.unseen, self.near = eps, trial, excess <= slack
        else:
            self.high, self.seen = eps, trial

    def result(self) -> Trial:
        """The largest ε that changes something and stays unseen, at the cost of all that were tried.

        Where there is none, the image itself if that came out, else what was seen at the smallest ε.
        """
        best = self.unseen or self.still or self.seen
        if best is None:
            raise ValueError(self)
        spent = {"forwards": self.forwards, "backwards": self.backwards, "seconds": self.seconds}
        missed = self.unseen is None or (self.seen is None and not self.near)
        row = best.row.model_copy(update={**spent, "eps_missed": missed})
        return Trial(row, best.exact, best.adversarial)


def at_equal_visibility(wanted: Calibration, dist: Tensor, largest: float, attempt: Attempt) -> list[Trial]:
    """Every sample of ``dist`` [N, 3, H, W] at the largest ε whose result the metric still finds at the target.

    Args:
        largest: ε that no sample exceeds; the smallest is a quarter of a level.
        attempt: attacks samples, by index, at one ε. A sample's steps follow from its own results alone.
    """
    brackets = [_Bracket(min(SMALLEST, largest / 2), largest) for _ in dist]
    for _ in range(HALVINGS):
        groups: dict[float, list[int]] = defaultdict(list)
        for i, bracket in enumerate(brackets):
            if not bracket.near:
                groups[bracket.middle].append(i)
        for eps, index in groups.items():
            for i, trial in zip(index, attempt(index, eps), strict=True):
                excess = wanted.excess(dist[i], trial.exact)
                brackets[i].take(trial, eps, excess, NEAR * abs(wanted.target))
    return [bracket.result() for bracket in brackets]
