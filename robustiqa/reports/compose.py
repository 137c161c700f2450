"""From cells to what a report's row speaks of: one direction of one group of cells, sample by sample."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from robustiqa.benchmarks.cell import Cell, CellSpec, SampleRow, canonical
from robustiqa.statistics import random_signs, robust_range

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Attacked samples of one (dataset, model, defense, attack, ε, threat, seed, crop) in one direction.

    Attributes:
        spec: of one of the group's cells (its own direction is that cell's).
        keys: of all cells of the group.
        rows: one per sample, sorted by id; ``signs`` says which cell each came from.
        whole: clean rows of the uncropped images, by sample id; empty where images were not cropped and the model has
            no defense.
        undefended: the same of the model without its defense; empty where it has none.
        calibration: clean rows of the calibration set.
        finished: no cell was cut short.
        failed: a cell of the group, or the model's clean scores, ended with an error.
    """

    spec: CellSpec
    keys: tuple[str, ...]
    direction: str
    rows: tuple[SampleRow, ...]
    signs: Vector
    whole: Mapping[str, SampleRow]
    calibration: tuple[SampleRow, ...]
    finished: bool
    undefended: Mapping[str, SampleRow] = field(default_factory=dict)
    failed: bool = False

    @property
    def orientation(self) -> int:
        return -1 if self.spec.model.lower_better else 1

    @property
    def width(self) -> float:
        """The unit of the gain: the q01-q99 range of the calibration scores; NaN where there is none."""
        scores = quality_of([row for row in self.calibration if row.status == "ok"], "clean", self.orientation)
        unit = robust_range(scores) if scores.size else None
        return unit.width if unit is not None and unit.is_usable else math.nan

    def gains(self, field: str = "attacked") -> dict[str, float]:
        """By sample id, the change of quality in the attacked direction, in native units; finite scores only."""
        change = self.signs * (self.quality(field) - self.quality("clean"))
        return {row.id: float(gain) for row, gain in zip(self.rows, change, strict=True) if row.status == "ok"}

    def quality(self, field: str) -> Vector:
        """A score of every row, oriented so that higher is better; NaN where it is missing."""
        return quality_of(self.rows, field, self.orientation)


def quality_of(rows: Iterable[SampleRow], field: str, orientation: int) -> Vector:
    """``field`` (clean, attacked or attacked_8bit) of ``rows``, oriented; NaN where missing."""
    values = [getattr(row, field) for row in rows]
    return np.array([np.nan if value is None else orientation * value for value in values])


def views(cells: Iterable[Cell]) -> Iterator[View]:
    """Every direction that the cells of a folder can tell of, complete ones only.

    ``up`` and ``down`` are shown where their cell holds every sample known of the group; ``tomean`` and ``random``
    where every sample has the sign that they need.
    """
    cells = list(cells)
    others = {_subject(cell.spec, cell.spec.purpose): cell for cell in cells if cell.spec.purpose != "attack"}
    for group in attack_groups(cells):
        yield from _directions(group, others)


def attack_groups(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Attacked cells that differ in direction alone, at most one of each."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.spec.purpose == "attack":
            groups.setdefault(_group(cell.spec), []).append(cell)
    for group in groups.values():
        signs = [cell.spec.direction for cell in group]
        if len(set(signs)) == len(signs):
            yield group
        else:  # an attack learned anew: nothing says which of its files belong together
            yield from ([cell] for cell in group)


def _directions(group: list[Cell], others: Mapping[str, Cell]) -> Iterator[View]:
    spec = group[0].spec
    whole, calibration = (others.get(_subject(spec, purpose)) for purpose in ("clean", "calibration"))
    undefended = None if spec.defense is None else others.get(_subject(spec, "clean", defended=False))
    known = [cell for cell in (*group, whole, calibration, undefended) if cell is not None]
    by_sign = {+1: _rows(group, "up"), -1: _rows(group, "down")}
    samples = {**by_sign[+1], **by_sign[-1]}
    ids = sorted(samples)
    mean = spec.dataset.mean_quality
    wanted = {
        "up": np.ones(len(ids)),
        "down": -np.ones(len(ids)),
        "tomean": np.array([1.0 if samples[i].quality < mean else -1.0 for i in ids]),
        "random": random_signs(ids, spec.seed).astype(np.float64),
    }
    for direction, signs in wanted.items():
        rows = [by_sign[int(sign)].get(i) for i, sign in zip(ids, signs, strict=True)]
        complete = tuple(row for row in rows if row is not None)
        if len(complete) == len(ids) and (ids or direction in {cell.spec.direction for cell in group}):
            yield View(
                spec=spec,
                keys=tuple(cell.spec.key for cell in group),
                direction=direction,
                rows=complete,
                signs=signs,
                whole={row.id: row for row in (whole.samples if whole else ())},
                calibration=calibration.samples if calibration else (),
                finished=all(cell.finished for cell in group),
                undefended={row.id: row for row in (undefended.samples if undefended else ())},
                failed=any(cell.error for cell in known),
            )


def _rows(group: Iterable[Cell], direction: str) -> dict[str, SampleRow]:
    return {row.id: row for cell in group if cell.spec.direction == direction for row in cell.samples}


def _subject(spec: CellSpec, purpose: str, *, defended: bool = True) -> str:
    """What clean scores belong to: a defended model with, for ``clean`` its dataset, for ``calibration`` its crop."""
    defense = None if spec.defense is None or not defended else spec.defense.model_dump(mode="json")
    scope = spec.crop if purpose == "calibration" else spec.dataset.manifest
    return canonical([purpose, scope, spec.model.model_dump(mode="json"), defense, spec.version])


def _group(spec: CellSpec) -> str:
    """Cells that differ in direction alone; what an attack learned differs with it."""
    fields = spec.model_dump(mode="json")
    attack = None if fields["attack"] is None else {**fields["attack"], "weights": ""}
    return canonical({**fields, "direction": None, "attack": attack})
