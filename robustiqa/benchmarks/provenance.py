"""Where numbers come from: digests of weights and plug-in code, and the versions they were computed with."""

import hashlib
import inspect
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import JsonValue


def code_digest(thing: object) -> str:
    """``built-in`` for robustiqa's own classes, else the sha256 of the source file of the class.

    A class without a source file (typed into a console) is named by its qualified name alone.
    """
    cls = type(thing)
    if cls.__module__.split(".")[0] == "robustiqa":
        return "built-in"
    try:
        source = inspect.getsourcefile(cls)
    except TypeError:
        source = None
    if source is None or not Path(source).is_file():
        return f"unknown:{cls.__qualname__}"
    return hashlib.sha256(Path(source).read_bytes()).hexdigest()


@cache
def package_version() -> str:
    """The installed version of robustiqa."""
    return version("robustiqa")


def environment(device: torch.device) -> dict[str, JsonValue]:
    """What the numbers were computed with; it is kept beside them and decides nothing."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "robustiqa": package_version(),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": str(device),
        "threads": torch.get_num_threads(),
    }
