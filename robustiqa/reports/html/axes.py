"""Scales from values to pixels, and ticks at round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Tick:
    """A labelled position of an axis, in units of the value."""

    value: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` onto pixels from ``start`` to ``end``, linear or by the logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self, count: int = 5) -> tuple[Tick, ...]:
        """About ``count`` round numbers between the ends."""
        return round_ticks(self.low, self.high, count)


def fitted(values: Iterable[float], start: float, end: float, count: int = 5) -> Scale:
    """The scale whose ends are round and hold every finite value; from 0 to 1 where there is none."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    step = _step(low, high, count)
    return Scale(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end)


def round_ticks(low: float, high: float, count: int = 5) -> tuple[Tick, ...]:
    """Multiples of a round step within [``low``, ``high``], each with just the decimals that the step needs."""
    step = _step(low, high, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, next((d for d in range(8) if math.isclose(step, round(step, d), rel_tol=1e-9)), 8))
    return tuple(Tick(i * step, signed(f"{i * step:.{decimals}f}")) for i in range(first, last + 1))


def signed(text: str) -> str:
    """A number with the sign for less in place of the hyphen, and without one before zero."""
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _step(low: float, high: float, count: int) -> float:
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in ROUND if factor * power >= rough * (1 - 1e-9))
