"""What ``robustiqa doctor`` looks at."""

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import torch

from robustiqa.attacks import ATTACKS
from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import BrokenPlugin, InvalidInput
from robustiqa.core.parameters import split_path
from robustiqa.core.registry import Registry
from robustiqa.datasets import DATASETS, load_dataset
from robustiqa.defenses import DEFENSES
from robustiqa.defenses.purifiers.denoisers import FILES as DENOISERS
from robustiqa.models import MODELS, TRAINABLE
from robustiqa.models.defended import RECIPES, defended_file
from robustiqa.models.entry import as_entry
from robustiqa.models.weights import VARIABLE, WeightFile, found, sha256_of

State = Literal["ok", "missing", "broken"]
VERSIONS: Final = ("torchvision", "numpy", "scipy", "pandas", "pillow", "piq", "POT", "safetensors", "scikit-image")
SAFE_TORCH: Final = (2, 6)  # before it torch.load(weights_only=True) could be made to run code
EXTRAS: Final = {"engines": ("torchattacks", "art"), "pyiqa": ("pyiqa",)}
LITTLE: Final = 2**30  # bytes of free disk


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``fix`` says what to do about it, if anything."""

    kind: Literal["environment", "weights", "plug-in", "dataset"]
    name: str
    state: State
    detail: str
    fix: str = ""


def examined(datasets: Iterable[str] = ()) -> Iterator[Finding]:
    """Everything, in the order in which it is printed; ``datasets`` are ``NAME=FOLDER``."""
    yield from _environment()
    yield from _weights()
    for registry in (MODELS, ATTACKS, DEFENSES, DATASETS):
        yield from _plugins(registry)
    yield from map(_dataset, ("demo", *datasets))


def _environment() -> Iterator[Finding]:
    yield Finding("environment", "robustiqa", "ok", f"{version('robustiqa')}, Python {platform.python_version()}, "
                  f"{platform.platform()}")  # fmt: skip
    yield _torch()
    yield _installed()
    yield from map(_extra, EXTRAS)
    yield Finding("environment", "processors", "ok", f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()}; "
                  f"devices: {', '.join(_devices())}")  # fmt: skip
    yield _folder("cache", cache_folder(""), "set $ROBUSTIQA_CACHE to a folder that can be written into")
    yield _folder("results", Path("runs"), "run robustiqa where it can write, or give --out")


def _torch() -> Finding:
    numbers = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if numbers < SAFE_TORCH:
        fix = "pip install -U 'torch>=2.6': older ones can be made to run code by a .pth file"
        return Finding("environment", "torch", "broken", torch.__version__, fix)
    return Finding("environment", "torch", "ok", torch.__version__)


def _installed() -> Finding:
    found_versions, absent = [], []
    for name in VERSIONS:
        try:
            found_versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    fix = f"pip install {' '.join(absent)}" if absent else ""
    return Finding("environment", "libraries", "broken" if absent else "ok", ", ".join(found_versions), fix)


def _extra(name: str) -> Finding:
    absent = [module for module in EXTRAS[name] if find_spec(module) is None]
    if absent:
        fix = f"pip install 'robustiqa[{name}]'"
        return Finding("environment", f"extra {name}", "missing", f"no {', '.join(absent)}", fix)
    return Finding("environment", f"extra {name}", "ok", ", ".join(EXTRAS[name]))


def _devices() -> list[str]:
    cuda = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def _folder(name: str, folder: Path, fix: str) -> Finding:
    """Whether files can be made in a folder, which need not exist yet."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding("environment", name, "broken", f"{folder}: {existing} cannot be written into", fix)
    free = shutil.disk_usage(existing).free
    detail, full = f"{folder}, {free / 2**30:.1f} GB free", free < LITTLE
    return Finding("environment", name, "broken" if full else "ok", detail, "make room" if full else "")


def _weights() -> Iterator[Finding]:
    folder = os.environ.get(VARIABLE)
    if folder and not Path(folder).is_dir():
        yield Finding("weights", f"${VARIABLE}", "broken", f"{folder} is no folder", "correct or unset it")
        return
    unset = "not set; let it name a folder that holds what is missing, or give a file as MODEL:weights=FILE"
    yield Finding("weights", f"${VARIABLE}", "ok", folder or unset)
    for name in MODELS.builtins:
        entry = as_entry(name, MODELS.get(name))
        yield from (_file(name, file) for file in dict.fromkeys(entry.files))
    yield from (_file(name, file) for name, file in DENOISERS.items())
    for recipe in RECIPES:
        yield from (_file(f"{model}, defense {recipe}", defended_file(model, recipe)) for model in TRAINABLE.builtins)


def _file(name: str, file: WeightFile) -> Finding:
    path = found(file)
    if path is None:
        fetched = file.url and file.sha256
        fix = f"fetched from {file.url} when it is first used" if fetched else f"get it from {file.source}"
        return Finding("weights", name, "missing", str(file), fix)
    digest = sha256_of(path)
    known = {known for _, known in file.digests if known}
    if known and digest not in known:
        fix = "fine if you put it there on purpose; results carry its sha256"
        return Finding("weights", name, "ok", f"{path}: not the published file (sha256 {digest[:12]})", fix)
    return Finding("weights", name, "ok", f"{path}{' (the published file)' if known else ''}")


def _plugins(registry: Registry[Any]) -> Iterator[Finding]:
    for name in registry.names():
        origin = registry.origin(name)
        if name in registry.builtins:
            continue
        try:
            thing = registry.get(name)
            if registry is MODELS:
                as_entry(name, thing)
        except BrokenPlugin as error:
            fix = f"mend or uninstall {origin}; everything else works without it"
            yield Finding("plug-in", f"{registry.kind} {name}", "broken", str(error), fix)
        else:
            yield Finding("plug-in", f"{registry.kind} {name}", "ok", origin)


def _dataset(text: str) -> Finding:
    """Its layout, and its first image."""
    name, _ = split_path(text)
    try:
        data = load_dataset(*split_path(text))
        data.images(data.pairs[0])
    except (InvalidInput, OSError, IndexError) as error:
        check = f"robustiqa datasets {name}; robustiqa datasets check {text}"
        fix = f"{sys.executable} -m pip install scikit-image scikit-learn" if name == "demo" else check
        return Finding("dataset", text, "broken", str(error) or "it has no pairs", fix)
    return Finding("dataset", text, "ok", f"{len(data.pairs)} pairs, {data.human_score}")
