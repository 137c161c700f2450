"""What the checks of plug-ins share: findings, the images they are found on, and what every part must declare."""

import dataclasses
import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from robustiqa.core.errors import RobustIQAError
from robustiqa.core.filters import gaussian_filter
from robustiqa.core.parameters import build, spelled, split_named

SIDE: Final = 64
SEEDS: Final = (11, 12, 13)
TOLERANCE: Final = 1e-4  # of the scores' size: convolutions round by the size of the batch


@dataclass(frozen=True)
class Finding:
    """What is wrong: the name of the check and a sentence."""

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


class Images(NamedTuple):
    """References and distorted images of three samples [3, 3, H, W] in [0, 1]; ``worse`` is visibly distorted."""

    ref: Tensor
    dist: Tensor
    worse: Tensor


def sample_images(side: int) -> Images:
    """Smooth coloured noise of contrasts that differ by sample, with a flat patch; a little and much white noise."""
    generator = torch.Generator().manual_seed(0)
    shape = (len(SEEDS), 3, side, side + 9)
    smooth = gaussian_filter(torch.rand(shape, generator=generator), 9, 1.5, mode="same")
    ref = (0.5 + (smooth - 0.5) * torch.tensor([1.0, 2.0, 4.0])[:, None, None, None]).clamp(0, 1)
    ref[:, :, : side // 4, : side // 4] = 0
    noise = torch.randn(shape, generator=generator)
    noise[:, :, : side // 4, : side // 4] = 0
    return Images(ref, (ref + 0.03 * noise).clamp(0, 1), (ref + 0.3 * noise).clamp(0, 1))


def collect(name: str, check: Callable[[], Iterator[str]]) -> list[Finding]:
    """The findings of one check; that it raised is one too."""
    found: list[Finding] = []
    try:
        found.extend(Finding(name, message) for message in check())
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; that is the finding)
        found.append(Finding(name, f"raised {type(error).__name__}: {error}"))
    return found


def refuse(kind: str, name: object, findings: list[Finding], error: type[RobustIQAError]) -> None:
    """Raise ``error``, which lists the findings, if there are any."""
    if findings:
        raise error(f"{kind} {name!r} has {len(findings)} fault(s): " + "; ".join(map(str, findings)))


def declaration(kind: str, base: type, part: Any) -> Iterator[str]:  # noqa: ANN401 (whatever an author hands in)
    """What is wrong with how an attack or a defense declares itself."""
    if isinstance(part, type):
        yield f"{part.__name__} is a class; check an instance of it: {part.__name__}()."
        return
    if not isinstance(part, base):
        yield f"{type(part).__name__} does not derive from robustiqa.{base.__name__}."
        return
    cls = type(part)
    lost = [key for key, hint in inspect.get_annotations(cls).items() if "ClassVar" not in str(hint)]
    if lost and "__dataclass_params__" not in vars(cls):
        yield f"{cls.__name__} declares {', '.join(lost)} but is no dataclass; put @dataclass(frozen=True) on it."
        return
    name = getattr(part, "name", None)
    if not isinstance(name, str) or not name or set(name) & set(":+,= "):
        yield f"the name is {name!r}; wanted a word without ':', '+', ',', '=' or spaces, to be typed as --{kind} NAME."
        return
    if not (cls.__doc__ or "").strip() or (cls.__doc__ or "").startswith(f"{cls.__name__}("):
        yield f"{cls.__name__} has no docstring; its first line is what robustiqa {kind}s shows."
    yield from _typed(name, part)


def _typed(name: str, part: Any) -> Iterator[str]:  # noqa: ANN401
    """Parameters must survive being typed: cells and reports name an attack or a defense by its spelling."""
    required = [
        field.name
        for field in dataclasses.fields(part)
        if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if required:
        yield f"parameters without a default: {', '.join(required)}; each needs one, or the bare name means nothing."
        return
    text = spelled(name, part)
    try:
        again = build(type(part), split_named(text)[1])
    except (RobustIQAError, TypeError) as error:
        yield f"its spelling {text!r} cannot be read again: {error}"
        return
    if again != part:
        yield f"its spelling {text!r} is read as {again}, which is not equal to {part}."


def random_state() -> tuple[object, ...]:
    """The state of the global generators, in a form that can be compared."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 (whether a plug-in touches it is the question)
    torch_state = torch.default_generator.get_state().numpy().tobytes()
    return random.getstate(), name, np.asarray(keys).tobytes(), tuple(rest), torch_state


def close(one: Tensor, other: Tensor) -> bool:
    """Whether scores are equal but for the rounding of batches."""
    return torch.allclose(one, other, rtol=TOLERANCE, atol=1e-6)


def shown(scores: Tensor) -> str:
    """Scores in a message."""
    return "[" + ", ".join(f"{score:.4g}" for score in scores.tolist()) + "]"
