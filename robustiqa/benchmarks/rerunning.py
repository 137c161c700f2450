"""One cell computed again and compared with what was recorded, number by number."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from robustiqa.benchmarks.cell import Cell, SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.job import Job, computed
from robustiqa.benchmarks.provenance import UNEQUAL, environment
from robustiqa.benchmarks.running import describe
from robustiqa.benchmarks.sharing.crew import Crew
from robustiqa.benchmarks.sharing.halving import halving
from robustiqa.core.errors import InvalidInput

NUMBERS: Final = (
    "clean", "attacked", "attacked_8bit", "spread", "linf", "l2", "ssim", "psnr", "eps", "best_iteration", "forwards",
    "backwards", "dead_gradients", "saturated_gradients",
)  # fmt: skip
WORDS: Final = ("status", "size", "cut", "eps_missed", "batch_dependent")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Difference:
    """In how many samples a number came out otherwise, and by how much at most; None where it is missing in one."""

    name: str
    samples: int
    largest: float | None
    where: str


@dataclass(frozen=True)
class Rerun:
    """What came of it: samples compared, what differs, and what of the environment is not what it was."""

    samples: int
    differences: tuple[Difference, ...]
    environment: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def find_cell(folder: Path, text: str) -> Cell:
    """The cell whose key begins with ``text``, which may be the name of its file.

    Raises:
        InvalidInput: none or several of the folder's cells do.
    """
    beginning = Path(text).name.removesuffix(".json").removesuffix(".jsonl")
    found = [cell for cell in Store(folder).cells() if cell.spec.key.startswith(beginning)]
    if len(found) != 1 or not beginning:
        raise InvalidInput(
            f"{len(found)} cells of {folder} begin with {text!r}; name one by (the beginning of) a file's name in "
            f"{folder}/cells."
        )
    return found[0]


def rerun(
    job: Job, cell: Cell, device: torch.device, limit: int | None = None, batch_size: int = 8, threads: int = 1,
    progress: Progress = lambda _label, _done, _total: None,
) -> Rerun:  # fmt: skip
    """Compute the recorded samples of a cell again, the first ``limit`` of them in the dataset's order.

    Raises:
        InvalidInput: the cell has no samples, or its images are others now.
    """
    recorded = {row.id: row for row in cell.samples}
    pairs = tuple(pair for pair in job.pairs if pair.id in recorded)[:limit]
    if not pairs:
        raise InvalidInput(f"cell {cell.spec.key} holds no samples of this dataset to compare with.")
    job, done = replace(job, pairs=pairs), list[SampleRow]()
    with Crew(threads) as crew:
        for batch in Images().batches(job.dataset, pairs, job.spec.crop, batch_size, device):
            progress(describe(job), len(done), len(pairs))
            done += computed(job, batch, halving(crew.run))
    changed = [row.id for row in done if recorded[row.id].data not in {"", row.data}]
    if changed:
        raise InvalidInput(f"the images of {len(changed)} samples are not those of the run, such as {changed[0]!r}.")
    return Rerun(len(done), tuple(differences(recorded, done)), _environment(cell, device))


def differences(recorded: dict[str, SampleRow], done: Sequence[SampleRow]) -> list[Difference]:
    """What rows have otherwise, field by field."""
    found = []
    for name in (*WORDS, *NUMBERS):
        other = {row.id: (getattr(recorded[row.id], name), getattr(row, name)) for row in done}
        other = {key: values for key, values in other.items() if values[0] != values[1]}
        if other:
            gaps = {key: _gap(*values) for key, values in other.items()}
            worst = max(gaps, key=lambda key: _size(gaps[key]))
            found.append(Difference(name, len(other), gaps[worst], worst))
    return found


def _size(gap: float | None) -> float:
    """What is missing in one is worse than any difference."""
    return math.inf if gap is None else gap


def _gap(before: object, after: object) -> float | None:
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    return abs(before - after) if numbers else None  # type: ignore[operator]


def _environment(cell: Cell, device: torch.device) -> tuple[str, ...]:
    now = environment(device)
    names = [name for name in cell.provenance.keys() | now.keys() if name not in UNEQUAL]
    then = {name: cell.provenance.get(name, "?") for name in sorted(names)}
    return tuple(f"{name}: {then[name]} then, {now.get(name, '?')} now" for name in then if then[name] != now.get(name))
