"""The allocator's policy, for a process that does nothing else."""

import ctypes
import sys
from typing import Final

POLICY: Final = (
    (-3, 1 << 30),  # M_MMAP_THRESHOLD: below it a tensor comes from the heap, not from fresh pages of its own
    (-1, (1 << 31) - 1),  # M_TRIM_THRESHOLD: what is freed stays with the process
    (-8, 1),  # M_ARENA_MAX: threads' own heaps are returned whenever they are empty
)


def keep_freed_memory() -> None:
    """Have glibc keep freed memory for the next tensor; elsewhere nothing happens.

    An attack frees and asks for the same few megabytes thousands of times, and the kernel zeroes every page that it
    hands out again: a third of the time of a small network's backward pass on a virtual machine.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in POLICY:
            mallopt(parameter, value)
