"""How fast this machine could be: FLOPs and bytes of a step over rates that are measured here, now."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class Counter(TorchDispatchMode):
    """FLOPs of convolutions and matrix products, and bytes that operators read and write, each tensor once per
    operator; views move nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = self.moved = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=result)
        if not func.is_view:
            tensors = {id(x): x for x in tree_leaves((args, kwargs, result)) if isinstance(x, Tensor)}
            self.moved += sum(x.numel() * x.element_size() for x in tensors.values())
        return result


def flops_and_bytes(task: Callable[[], object]) -> tuple[int, int]:
    """Of one call: multiplications and additions of convolutions and matrix products, and bytes moved."""
    with Counter() as counter:
        task()
    return counter.flops, counter.moved


def flop_rate(dtype: torch.dtype, side: int = 2048) -> float:
    """FLOP/s of a matrix product: the best of five."""
    a, b = (torch.rand(side, side).to(dtype) for _ in range(2))
    return 2 * side**3 / _best(lambda: a @ b)


def byte_rate(size: int = 1 << 28) -> float:
    """Bytes/s of a copy, read and written: the best of five."""
    source, target = (torch.zeros(size, dtype=torch.uint8) for _ in range(2))
    return 2 * size / _best(lambda: target.copy_(source))


def _best(task: Callable[[], object]) -> float:
    task()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
