"""Figures that know the samples they are of, so that those of a group can be compared on the samples that all have."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.table import Number
from robustiqa.statistics import (
    FEW_CLUSTERS,
    Bootstrapped,
    Resamples,
    bootstrap_mean,
    bootstrap_plcc,
    bootstrap_srocc,
    fit_logistic,
)

Vector: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Resamples, Vector], Bootstrapped]


@dataclass(frozen=True, eq=False)
class Entry:
    """A statistic of ``values`` by sample id: one number or several per sample.

    Attributes:
        references: reference of every sample, by sample id, in one order.
        statistic: of resamples and the values [n, k] of their samples.
        excluded: samples left out because a score is missing.
    """

    references: Mapping[str, str]
    values: Mapping[str, tuple[float, ...]]
    statistic: Statistic
    excluded: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.references)


def srocc_entry(
    references: Mapping[str, str], human: Mapping[str, float], quality: Mapping[str, float], excluded: int = 0
) -> Entry:
    """SROCC between human scores and a model's, both quality-oriented."""
    values = {i: (human[i], quality[i]) for i in references}
    return Entry(references, values, lambda draws, v: bootstrap_srocc(draws, v[:, 0], v[:, 1]), excluded)


def plcc_entry(
    references: Mapping[str, str], human: Mapping[str, float], quality: Mapping[str, float], excluded: int = 0
) -> Entry:
    """PLCC after the logistic of VQEG, fitted on these samples."""
    values = {i: (human[i], quality[i]) for i in references}
    return Entry(references, values, _plcc, excluded)


def mean_entry(references: Mapping[str, str], values: Mapping[str, float], excluded: int = 0) -> Entry:
    """Mean of one number per sample."""
    own = {i: (values[i],) for i in references}
    return Entry(references, own, lambda draws, v: bootstrap_mean(draws, v[:, 0]), excluded)


def _plcc(draws: Resamples, values: Vector) -> Bootstrapped:
    human, quality = values[:, 0], values[:, 1]
    fitted = fit_logistic(quality, human)
    mapped = fitted(quality)
    return bootstrap_plcc(draws, human, mapped if fitted.increasing else -mapped)


class Sampler:
    """Resamples of one table, drawn once per set of samples, and figures on them."""

    def __init__(self, options: LayoutOptions) -> None:
        self._options = options
        self._draws: dict[tuple[str, ...], Resamples] = {}

    def on(self, entry: Entry, ids: tuple[str, ...]) -> Bootstrapped:
        """The entry's statistic on the samples ``ids``."""
        if ids not in self._draws:
            references = [entry.references[i] for i in ids]
            self._draws[ids] = Resamples.draw(references, mode=self._options.mode, seed=self._options.seed)
        values = np.array([entry.values[i] for i in ids], dtype=np.float64)
        return entry.statistic(self._draws[ids], values)

    def numbers(self, entries: Sequence[Entry | None]) -> list[Number | None]:
        """The figures of one group, higher is better: each on its own samples, the best and its ties on common ones."""
        own = [None if entry is None or not entry.ids else self.on(entry, entry.ids) for entry in entries]
        places = self._places(entries, own)
        return [
            None if boot is None else _number(boot, best=place == "best", tied=place == "tied")
            for boot, place in zip(own, places, strict=True)
        ]

    def few_clusters(self, entries: Sequence[Entry | None]) -> tuple[str, ...]:
        """The flag of figures that allow no claim."""
        few = any(self._draws[e.ids].few_clusters for e in entries if e is not None and e.ids in self._draws)
        return (FEW_CLUSTERS,) if few else ()

    def _places(self, entries: Sequence[Entry | None], own: Sequence[Bootstrapped | None]) -> list[str]:
        known = {
            i: (entry, boot)
            for i, (entry, boot) in enumerate(zip(entries, own, strict=True))
            if entry is not None and boot is not None and math.isfinite(boot.estimate)
        }
        places = [""] * len(entries)
        common = set.intersection(*(set(entry.ids) for entry, _ in known.values())) if len(known) > 1 else set()
        if not common:
            return places
        ids = tuple(sorted(common))
        shared = {i: boot if entry.ids == ids else self.on(entry, ids) for i, (entry, boot) in known.items()}
        shared = {i: boot for i, boot in shared.items() if math.isfinite(boot.estimate)}
        best = max(shared, key=lambda i: shared[i].estimate, default=None)
        for i, boot in shared.items():
            if best is not None:
                places[i] = "best" if i == best else _tied(shared[best], boot)
        return places


def _tied(best: Bootstrapped, other: Bootstrapped) -> str:
    return "tied" if (best - other).interval().verdict == "not separable" else ""


def _number(boot: Bootstrapped, *, best: bool, tied: bool) -> Number:
    interval = boot.interval()
    return Number(interval.estimate, interval.lo, interval.hi, best=best, tied=tied)
