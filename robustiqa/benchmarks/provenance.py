"""Where numbers come from: digests of weights and plug-in code, and the versions they were computed with."""

import hashlib
import inspect
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType

import torch
from pydantic import JsonValue


def code_digest(thing: object) -> str:
    """``built-in`` for robustiqa's own classes, else the sha256 of the source file of the class.

    A class without a source file (typed into a notebook) has the digest of its compiled methods, marked ``typed:``, so
    that an edited one is not taken for what it was before.
    """
    cls = type(thing)
    if cls.__module__.split(".")[0] == "robustiqa":
        return "built-in"
    try:
        source = inspect.getsourcefile(cls)
    except (TypeError, OSError):
        source = None
    if source is None or not Path(source).is_file():
        return f"typed:{_methods_digest(cls)}"
    return hashlib.sha256(Path(source).read_bytes()).hexdigest()


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


def environment(device: torch.device) -> dict[str, JsonValue]:
    """What the numbers were computed with; it is kept beside them and decides nothing."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "robustiqa": package_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "scipy": _version("scipy"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": str(device),
        "threads": torch.get_num_threads(),
    }
