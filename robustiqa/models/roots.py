"""Roots whose gradient at zero is zero, for formulas of other libraries that take roots of what may vanish."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SQUARE_ROOTS = (torch.sqrt, Tensor.sqrt)
_POWERS = (torch.pow, Tensor.pow, Tensor.__pow__)


class FiniteRoots(TorchFunctionMode):
    """Inside this context ``sqrt(0)`` and ``0 ** p`` with 0 < p < 1 have the gradient 0; no value changes.

    The true derivative there is infinite, and what comes before multiplies it by zero: a flat patch (zero gradient
    magnitude), a black pixel (zero tristimulus value) or an identical image would make the whole gradient NaN. Only
    the thread that enters the context is affected.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 (whatever the function returns)
        if func in _SQUARE_ROOTS and not kwargs:
            return _away_from_zero(func, args[0])
        if func in _POWERS and not kwargs and _is_root(args):
            return _away_from_zero(lambda base: func(base, args[1]), args[0])
        return func(*args, **(kwargs or {}))


def _is_root(args: tuple[Any, ...]) -> bool:
    """Whether a power is of a real tensor with exponents in (0, 1) alone."""
    if len(args) != 2 or not isinstance(args[0], Tensor) or args[0].is_complex():
        return False
    low, high = (args[1].min(), args[1].max()) if isinstance(args[1], Tensor) else (args[1], args[1])
    return bool(low > 0) and bool(high < 1)


def _away_from_zero(root: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``root(x)``, for which zeros are constants: of zero value and zero gradient."""
    is_zero = x == 0
    return root(x.masked_fill(is_zero, 1)).masked_fill(is_zero, 0)
