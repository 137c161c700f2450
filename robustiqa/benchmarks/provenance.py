"""Where numbers come from: digests of weights and plug-in code, and the versions they were computed with."""

import hashlib
import inspect
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import torch
from pydantic import JsonValue

from robustiqa.attacks import ATTACKS
from robustiqa.benchmarks.cell import CellSpec
from robustiqa.core.errors import UnknownName
from robustiqa.core.parameters import split_named
from robustiqa.core.registry import Registry
from robustiqa.defenses import DEFENSES
from robustiqa.models import MODELS

BUILT_IN: Final = "built-in"
OF_A_CELL: Final = "cell"  # the key of what differs from cell to cell of a run
UNEQUAL: Final = frozenset({"created", OF_A_CELL})  # what says nothing of how a run was made


def code_digest(thing: object) -> str:
    """``built-in`` for robustiqa's own classes, else the sha256 of the source file of the class.

    Of a class in a package it is that of all source files of the package's folder and below, for a helper decides
    numbers as well. A class without a source file (typed into a notebook) has the digest of its compiled methods,
    marked ``typed:``, so that an edited one is not taken for what it was before.
    """
    cls = type(thing)
    if cls.__module__.split(".")[0] == "robustiqa":
        return BUILT_IN
    try:
        source = inspect.getsourcefile(cls)
    except (TypeError, OSError):
        source = None
    if source is None or not Path(source).is_file():
        return f"typed:{_methods_digest(cls)}"
    return _files_digest(Path(source))


def _files_digest(source: Path) -> str:
    folder = source.parent
    if not (folder / "__init__.py").is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _methods_digest(cls: type) -> str:
    digest = hashlib.sha256(cls.__qualname__.encode())
    for base in cls.__mro__:
        if base.__module__ == cls.__module__:
            for name, member in sorted(vars(base).items()):
                function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if isinstance(function, FunctionType):
                    digest.update(f"{name}{_compiled(function.__code__)}{function.__defaults__!r}".encode())
    return digest.hexdigest()


def _compiled(code: CodeType) -> str:
    """What a function does, whatever cell and line of a notebook it stands in."""
    constants = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()}{code.co_names}{constants}"


def package_version() -> str:
    """The installed version of robustiqa."""
    return _version("robustiqa")


@cache
def _version(package: str) -> str:
    """Read from its metadata once: every cell of a suite says it."""
    return version(package)


def distributions(spec: CellSpec) -> dict[str, JsonValue]:
    """The installed distribution and version of each plug-in of a cell; of other code its file, or ``?``."""
    found: dict[str, JsonValue] = {}
    if spec.model.code != BUILT_IN:
        found[f"model {spec.model.name}"] = _distribution(MODELS, spec.model.name)
    for registry, part in ((ATTACKS, spec.attack), (DEFENSES, spec.defense)):
        if part is not None and part.code != BUILT_IN:
            found |= {f"{registry.kind} {name}": _distribution(registry, name) for name in part.name.split("+")}
    return found


def _distribution(registry: Registry[Any], text: str) -> str:
    """Of what is registered by that name now; an instance of the caller's own may have none."""
    try:
        return registry.origin(split_named(text)[0])
    except UnknownName:
        return "?" if ".py" not in text else text


def environment(device: torch.device) -> dict[str, JsonValue]:
    """What the numbers were computed with; it is kept beside them and decides nothing."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "robustiqa": package_version(),
        "torch": torch.__version__,
        **{name: _version(name) for name in ("torchvision", "numpy", "scipy", "pillow", "piq", "scikit-image")},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
        "device": str(device),
        "threads": torch.get_num_threads(),
    }
