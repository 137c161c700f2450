"""One run on many machines without a scheduler: ``--shard i/n`` takes the i-th of n parts, ``merge`` joins them.

The split follows from the cells alone, not from what a folder holds or how fast a machine is, so that all shards agree
on it without talking to each other.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from robustiqa.benchmarks.cell import canonical
from robustiqa.benchmarks.estimate import passes_per_sample
from robustiqa.benchmarks.job import Job
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.datasets.base import Pair

FILE: Final = "shard.json"
BACKWARD: Final = 2  # a backward pass takes about as long as two forward ones


@dataclass(frozen=True)
class Shard:
    """The ``index``-th of ``of`` parts, counted from 1."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


class ShardRecord(BaseModel):
    """What a shard's folder says of itself; ``plan`` is the sha256 of all cells and samples of the whole run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: int
    of: int
    plan: str


@dataclass(frozen=True)
class _Piece:
    """Neighbouring whole batches of a job."""

    job: int
    number: int
    pairs: tuple[Pair, ...]
    cost: float


def parse_shard(text: str) -> Shard:
    """A shard spelled ``2/8``.

    Raises:
        InvalidInput: not such a spelling, or not one of 1/n to n/n.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    shard = Shard(int(match[1]), int(match[2])) if match else Shard(0, 0)
    if not 1 <= shard.index <= shard.of:
        raise InvalidInput(f"shard {text!r} is not i/n with i from 1 to n; write it as 2/8 for the second of eight.")
    return shard


def shard_jobs(jobs: Sequence[Job], shard: Shard, batch_size: int) -> list[Job]:
    """The jobs with the pairs that are this shard's; jobs without any are left out.

    Each cell is cut into up to ``shard.of`` pieces of whole batches. The dearest piece first, each goes to the shard
    that has the least to do so far, so that large cells are spread evenly and small ones fill what is left. Cost is
    counted in the passes that attacks declare. Batches are those of a run in one piece, and so are the rows.
    """
    pieces = [piece for number, job in enumerate(jobs) for piece in _pieces(number, job, shard.of, batch_size)]
    pieces.sort(key=lambda piece: (-piece.cost, jobs[piece.job].spec.key, piece.number))
    loads = [0.0] * shard.of
    mine: dict[int, list[_Piece]] = {}
    for piece in pieces:
        lightest = loads.index(min(loads))
        loads[lightest] += piece.cost
        if lightest == shard.index - 1:
            mine.setdefault(piece.job, []).append(piece)
    return [replace(jobs[number], pairs=_joined(mine[number])) for number in sorted(mine)]


def plan_digest(jobs: Sequence[Job], batch_size: int) -> str:
    """sha256 of the cells and samples of a whole run, and of the size of its batches."""
    cells = sorted([job.spec.key, [pair.id for pair in job.pairs]] for job in jobs)
    return hashlib.sha256(canonical([cells, batch_size]).encode()).hexdigest()


def claim(folder: Path, shard: Shard, plan: str) -> None:
    """Note in ``folder`` which shard it holds.

    Raises:
        InvalidInput: it holds another one.
    """
    known = shard_of(folder)
    if known is not None and (known.index, known.of) != (shard.index, shard.of):
        raise InvalidInput(
            f"{folder} holds shard {known.index}/{known.of}; give shard {shard} another --out, then merge the folders."
        )
    record = ShardRecord(index=shard.index, of=shard.of, plan=plan)
    if record != known:
        write_atomically(folder / FILE, record.model_dump_json() + "\n")


def shard_of(folder: Path) -> ShardRecord | None:
    """What a folder says of the shard that it holds; None where it is no shard's.

    Raises:
        InvalidInput: its file is not one that robustiqa wrote.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return ShardRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidInput(f"{path} does not say which shard this is; run the shard again, or delete it.") from error


def absent(folders: Sequence[Path]) -> list[str]:
    """The shards that are in none of ``folders``, such as ``3/8``, run by run."""
    runs: dict[tuple[str, int], set[int]] = {}
    for record in filter(None, map(shard_of, folders)):
        runs.setdefault((record.plan, record.of), set()).add(record.index)
    return [f"{i}/{of}" for (_, of), seen in sorted(runs.items()) for i in range(1, of + 1) if i not in seen]


def _pieces(number: int, job: Job, count: int, size: int) -> list[_Piece]:
    batches = -(-len(job.pairs) // size)
    count = min(count, batches)
    each = cost_per_sample(job)
    edges = [size * (i * batches // count) for i in range(count)] + [len(job.pairs)] if count else [0]
    parts = [job.pairs[start:end] for start, end in pairwise(edges)]
    return [_Piece(number, i, pairs, each * len(pairs)) for i, pairs in enumerate(parts)]


def cost_per_sample(job: Job) -> float:
    """Passes per sample; of an attack that does not declare them, one, so that its cells are at least spread evenly."""
    passes = passes_per_sample(job)
    return 1.0 if passes is None else max(1.0, passes[0] + BACKWARD * passes[1])


def _joined(pieces: Sequence[_Piece]) -> tuple[Pair, ...]:
    """In the order of the job."""
    return tuple(pair for piece in sorted(pieces, key=lambda piece: piece.number) for pair in piece.pairs)
