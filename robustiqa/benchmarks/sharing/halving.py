"""A batch that does not fit into memory is computed once more in two halves, and its rows say so."""

import gc
from collections.abc import Callable
from typing import Final

import torch

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.images import Batch
from robustiqa.benchmarks.job import Job

Compute = Callable[[Job, Batch], list[SampleRow]]
PHRASES: Final = ("not enough memory", "out of memory", "can't allocate memory")  # of torch on CPU, CUDA and MPS


def halving(compute: Compute) -> Compute:
    """``compute``, which tries a batch that did not fit into memory again in halves; where these do not fit, it raises.

    No row depends on the others of its batch, so the halves' rows are those of the whole.
    """

    def run(job: Job, batch: Batch) -> list[SampleRow]:
        if len(batch.pairs) == 1:
            return compute(job, batch)
        try:
            return compute(job, batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        _release()  # only here, where the error no longer holds the frames of what failed
        rows = [row for half in batch.split(2) for row in compute(job, half)]
        return [row.model_copy(update={"halved": True}) for row in rows]

    return run


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was what was missing, on any device."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error).lower() for phrase in PHRASES)


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
