"""Searching faster than scoring: the attacked model in bfloat16, or compiled, for the search alone.

What a search finds is always scored again by the model itself, in its own precision, so that a number never depends on
how it was looked for.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal, cast

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ExposesFeatures, QualityModel, Reference

Precision = Literal["fp32", "bf16"]
PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "bf16")


@dataclass(frozen=True)
class Haste:
    """How a search calls its model.

    Attributes:
        precision: ``bf16`` computes convolutions and matrix products in bfloat16 (torch's autocast), ``fp32`` as it is.
        compiled: whether ``torch.compile`` makes machine code of it first.
    """

    precision: Precision = "fp32"
    compiled: bool = False

    def check(self, device: torch.device) -> None:
        """Refuse what this machine cannot do, or can only emulate.

        Raises:
            InvalidInput: no bfloat16 instructions, or nothing to compile with.
        """
        if self.precision not in PRECISIONS:
            raise InvalidInput(f"precision {self.precision!r} is not one of {', '.join(PRECISIONS)}.")
        if self.precision == "bf16" and not has_bf16(device):
            raise InvalidInput(
                f"precision bf16: {device} has no bfloat16 instructions (AVX512-BF16 or AMX on a CPU), and would be "
                "slower with it; leave out --precision."
            )
        if self.compiled:
            _check_compiler(device.type)

    def on(self, model: QualityModel) -> "Haste":
        """What of it concerns ``model``: one without a network gains nothing from bfloat16 and loses digits."""
        return self if any(True for _ in model.parameters()) else Haste("fp32", self.compiled)


EXACT: Final = Haste()


def hastened(model: QualityModel, haste: Haste) -> QualityModel:
    """``model`` for a search; itself where nothing is asked for. The last few are kept, for compiling takes long."""
    return model if haste == EXACT else _hastened(model, haste)


@lru_cache(maxsize=4)
def _hastened(model: QualityModel, haste: Haste) -> QualityModel:
    return (_HastenedFeatures if isinstance(model, ExposesFeatures) else _Hastened)(model, haste)


class _Hastened(QualityModel):
    """A model under autocast or compiled; scores come back in float32, or wider where the model is."""

    def __init__(self, model: QualityModel, haste: Haste) -> None:
        super().__init__()
        self.model, self.info, self._haste = model, model.info, haste
        self._compare = _compiled(model.compare) if haste.compiled else model.compare

    def prepare(self, ref: Tensor) -> Reference:
        with self._cast(ref):
            return self.model.prepare(ref)

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        with self._cast(dist):
            return widened(self._compare(reference, dist))

    def _cast(self, image: Tensor) -> AbstractContextManager[object]:
        return torch.autocast(image.device.type, torch.bfloat16, enabled=self._haste.precision == "bf16")


class _HastenedFeatures(_Hastened):
    """One that shows its features."""

    def feature_layers(self, reference: Reference, dist: Tensor) -> tuple[Tensor, ...]:
        with self._cast(dist):
            layers = cast(ExposesFeatures, self.model).feature_layers(reference, dist)
        return tuple(map(widened, layers))


def widened(x: Tensor) -> Tensor:
    """``x`` in float32 where it holds fewer digits: differences and sums over an image need them."""
    return x.float() if x.dtype in {torch.bfloat16, torch.float16} else x


def full_precision(x: Tensor) -> AbstractContextManager[object]:
    """Where formulas on pixels stand: autocast would round an image of 8 bits to the 8 bits of a bfloat16, and its
    local variances to nothing.
    """
    return torch.autocast(x.device.type, enabled=False)


def has_bf16(device: torch.device) -> bool:
    """Whether ``device`` computes in bfloat16, rather than emulating it."""
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_arm_bf16_supported")
    return any(bool(getattr(torch.cpu, check, bool)()) for check in checks)  # torch has no public question for it


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = torch.compile(function)
    return compiled


@cache
def _check_compiler(device: str) -> None:
    """Compile one line; what is missing here (a C++ compiler, Triton) only shows when it is needed."""
    try:
        _compiled(torch.square)(torch.ones(2, device=device))
    except Exception as error:
        reason = next(filter(None, str(error).splitlines()), type(error).__name__)
        raise InvalidInput(
            f"--compile does not work on {device} here ({reason}); torch.compile needs a C++ compiler on a CPU, "
            "Triton on a GPU. Install it, or leave out --compile."
        ) from error
