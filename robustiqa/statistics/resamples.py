"""Bootstrap resamples, drawn once and shared by every row of a table.

Images share references, so they are not independent: the default draws whole references (cluster bootstrap;
Davison & Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8). The i.i.d. mode draws single
images.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustiqa.core.errors import InvalidInput
from robustiqa.statistics._arrays import FloatArray, IntArray, Labels, as_labels, require_length

Mode: TypeAlias = Literal["cluster", "iid"]

MODES: tuple[Mode, ...] = get_args(Mode)
MIN_CLUSTERS = 20
# Small enough for the few arrays of one block to stay in a core's cache, which halves the time of SROCC.
_BLOCK_ELEMENTS = 2**15


@dataclass(frozen=True, eq=False)
class Resamples:
    """Paired bootstrap resamples of n samples; make them with ``Resamples.draw``.

    A unit is what gets drawn: a reference (mode "cluster") or a sample (mode "iid").

    Attributes:
        draws: the drawn units, in drawing order, [replicates, units].
        samples: position of every sample in the references given to ``draw``, [n].
        unit_of: unit of every sample, [n].
        reference_of: reference of every sample as a number, [n]; kept in both modes, because few references
            forbid a claim of significance whichever way the samples were drawn.
        mode: "cluster" or "iid".
        seed: seed of the draws.
    """

    draws: NDArray[np.int32]
    samples: IntArray
    unit_of: IntArray
    reference_of: IntArray
    mode: Mode
    seed: int

    @classmethod
    def draw(
        cls, references: Labels, *, mode: Mode = "cluster", seed: int = 0, replicates: int = 1000
    ) -> Self:
        """Draw ``replicates`` resamples with one ``numpy.random.default_rng(seed)``.

        Per replicate ``integers(0, units, size=units)``; units are numbered in the sorted order of their
        labels ("cluster") or in the given order ("iid"), so give samples in one fixed order, sorted by id.

        Args:
            references: reference id of every sample, strings or integers; ``range(n)`` when none share one.
            mode: "cluster" draws references with all their samples, "iid" draws samples.
            seed: non-negative seed.
            replicates: number of resamples, at least 1.

        Raises:
            InvalidInput: bad labels, mode, seed or number of replicates.
        """
        _check_settings(mode, seed, replicates)
        _, reference_of = np.unique(as_labels("references", references), return_inverse=True)
        samples = np.arange(reference_of.size)
        unit_of = reference_of if mode == "cluster" else samples
        units = int(unit_of.max()) + 1
        rng = np.random.default_rng(seed)
        draws = np.empty((replicates, units), dtype=np.int32)
        for row in draws:
            row[:] = rng.integers(0, units, size=units)
        for array in (draws, samples, unit_of, reference_of):
            array.setflags(write=False)
        return cls(draws, samples, unit_of, reference_of, mode, seed)

    @property
    def size(self) -> int:
        """Number of samples that the resamples are about."""
        return self.unit_of.size

    @property
    def replicates(self) -> int:
        """Number of resamples."""
        return len(self.draws)

    @cached_property
    def few_clusters(self) -> bool:
        """Whether fewer than 20 references remain, too few for a percentile interval to be trusted."""
        return np.unique(self.reference_of).size < MIN_CLUSTERS

    def restrict(self, keep: ArrayLike) -> Self:
        """The same draws without the samples where the mask ``keep`` [n] is False, such as failed ones.

        Two rows of a table are compared on the samples that both have: restrict to those first.

        Raises:
            InvalidInput: ``keep`` is not a boolean mask of n samples, or keeps none.
        """
        mask = np.asarray(keep)
        if mask.dtype != np.bool_ or mask.ndim != 1:
            raise InvalidInput(f"keep must be a 1-D boolean mask; got shape {mask.shape} of {mask.dtype}")
        require_length("keep", mask.size, self.size)
        if not mask.any():
            raise InvalidInput("keep leaves no sample; resampling needs at least one")
        return replace(
            self,
            samples=self.samples[mask],
            unit_of=self.unit_of[mask],
            reference_of=self.reference_of[mask],
        )

    def matches(self, other: "Resamples") -> bool:
        """Whether both resample the same samples with the same draws, as a paired comparison needs."""
        return self is other or (
            np.array_equal(self.draws, other.draws)
            and np.array_equal(self.samples, other.samples)
            and np.array_equal(self.unit_of, other.unit_of)
        )

    def indices(self, replicate: int) -> IntArray:
        """Samples of one resample, in drawing order; within a reference in the order of the samples."""
        drawn = self.draws[replicate]
        order, starts, sizes = self._members
        lengths = sizes[drawn]
        shifts = starts[drawn] - (np.cumsum(lengths) - lengths)
        positions: IntArray = np.repeat(shifts, lengths) + np.arange(lengths.sum())
        return order[positions]

    def weight_blocks(self) -> Iterator[FloatArray]:
        """How often a resample holds a sample, [some replicates, n] at a time, all replicates in order."""
        rows = max(1, _BLOCK_ELEMENTS // max(self.size, self.draws.shape[1]))
        for start in range(0, self.replicates, rows):
            yield self._unit_counts(self.draws[start : start + rows])[:, self.unit_of]

    def leave_one_out_blocks(self) -> Iterator[FloatArray]:
        """Weights of all samples but those of one unit, [some units, n] at a time, units in order (jackknife)."""
        units = np.unique(self.unit_of)
        rows = max(1, _BLOCK_ELEMENTS // self.size)
        for start in range(0, units.size, rows):
            yield (self.unit_of != units[start : start + rows, None]).astype(np.float64)

    @staticmethod
    def _unit_counts(draws: NDArray[np.int32]) -> FloatArray:
        rows, units = draws.shape
        cells = draws + np.arange(rows)[:, None] * units
        return np.bincount(cells.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)

    @cached_property
    def _members(self) -> tuple[IntArray, IntArray, IntArray]:
        order = np.argsort(self.unit_of, kind="stable")
        sizes = np.bincount(self.unit_of, minlength=self.draws.shape[1])
        return order, np.cumsum(sizes) - sizes, sizes


def _check_settings(mode: str, seed: int, replicates: int) -> None:
    if mode not in MODES:
        raise InvalidInput(f"bootstrap mode {mode!r} is unknown; use one of {', '.join(MODES)}")
    if seed < 0:
        raise InvalidInput(f"bootstrap seed {seed} is negative; use 0 or more")
    if replicates < 1:
        raise InvalidInput(f"{replicates} bootstrap replicates; use 1 or more (1000 is usual)")
