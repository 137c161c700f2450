"""Finding weights: an explicit path, the package or its clone, ``$ROBUSTIQA_WEIGHTS``, the cache, a verified download.

Files are safetensors, or ``.pth`` read with ``weights_only=True``, so that no file can run code. What the
user points to (path or variable) is the user's own choice and taken as it is; in the cache and after a
download a file must have the sha256 that is registered for it. A loaded model names the files it was filled
from, with their sha256, in ``model.info.weights``.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import pooch
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.core.model import QualityModel

Weights = str | Path | None
Tensors = Mapping[str, Tensor]
M = TypeVar("M", bound=QualityModel)

RANDOM: Final = "random"
VARIABLE: Final = "ROBUSTIQA_WEIGHTS"
CLONE: Final = Path(__file__).parents[2]  # where the package is installed from its clone (-e)


@dataclass(frozen=True)
class WeightFile:
    """Tensors of one sub-module, and the two files known to hold them: robustiqa's own and the official one.

    Attributes:
        name, name_sha256: the file in robustiqa's layout; without a sha256 any file of that name is taken.
        official, sha256: the official checkpoint.
        source: where the weights officially come from, in words.
        url: of the official checkpoint; without it, or without its sha256, there is no download.
        select: the sub-module's tensors, by its own names, out of all that a file holds; may be none.
        package: where the file called ``name`` ships with robustiqa, that package; it then comes first.
    """

    name: str
    official: str
    source: str
    url: str = ""
    sha256: str = ""
    name_sha256: str = ""
    select: Callable[[Tensors], Tensors] = dict
    package: str = ""

    @property
    def digests(self) -> tuple[tuple[str, str], ...]:
        """File names with their registered sha256, in order of preference."""
        return ((self.name, self.name_sha256), (self.official, self.sha256))

    def within(self, folder: Path) -> Path | None:
        """The file of ``folder`` that goes by the first name, else by the second."""
        paths = [folder / name for name, _ in self.digests]
        return next(filter(Path.is_file, paths), None)

    def __str__(self) -> str:
        return " or ".join(dict.fromkeys((self.name, self.official)))


class Loaded(NamedTuple):
    """Tensors, the file they come from, and its sha256."""

    tensors: Tensors
    path: Path
    sha256: str


def fill(model: M, files: Mapping[str, WeightFile], weights: Weights) -> M:
    """Fill the sub-modules of a model and say so in its info.

    Args:
        model: any model with an info of its own.
        files: names of sub-modules, each with its file; ``""`` stands for all that is in no other sub-module named.
        weights: a file or folder with at least one of ``files``, the rest come from the usual places; None
            for the usual places alone; ``"random"`` to leave the model as it was initialised.

    Raises:
        MissingWeights: a file was found nowhere; says every way to get it.
        InvalidInput: a file is damaged, would run code, or holds another architecture.
    """
    if weights == RANDOM:
        return model
    model.info = replace(model.info, weights=fill_parts(model, files, weights))
    return model


def fill_parts(module: nn.Module, files: Mapping[str, WeightFile], weights: Weights) -> tuple[tuple[str, str], ...]:
    """Fill sub-modules of any module, as :func:`fill` does; the names and sha256 of the files that were used."""
    explicit = {} if weights is None else _explicit(files, Path(weights))
    used = set()
    for part, file in files.items():
        loaded = explicit.get(part) or _usual(file)
        _fit(module, part, loaded, tuple(f"{other}." for other in files if other))
        used.add((loaded.path.name, loaded.sha256))
    return tuple(sorted(used))


def nearby(files: Mapping[str, WeightFile]) -> bool:
    """Whether all of ``files`` would be found without a download."""
    return all(_shipped(file) or _in_variable(file) or _in_cache(file) for file in files.values())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors or ``.pth`` file, floating ones as float32.

    Raises:
        InvalidInput: not such a file, or a pickle that holds more than named tensors.
    """
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _read_pth(path)
    except Exception as error:  # a damaged or hostile file can raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InvalidInput(f"{path} is no weights file that can be read safely ({reason}).") from error
    return {name: value.float() if value.is_floating_point() else value for name, value in content.items()}


def pick(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """The tensors below ``prefix``, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_pth(path: Path) -> Tensors:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, dict) and isinstance(content.get("params"), dict):
        content = content["params"]  # as BasicSR and those who train with it wrap a state dict
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("it holds more than named tensors")
    return content


def _explicit(files: Mapping[str, WeightFile], path: Path) -> dict[str, Loaded]:
    """Whatever of ``files`` is at ``path``: a typing error must not silently end in other weights."""
    if not path.exists():
        raise MissingWeights(f"weights={str(path)!r}: no such file or folder.")
    if path.is_file():
        whole = Loaded(read_tensors(path), path, sha256_of(path))
        loaded = {part: whole._replace(tensors=file.select(whole.tensors)) for part, file in files.items()}
    else:
        loaded = {part: _load(file, found) for part, file in files.items() if (found := file.within(path))}
    loaded = {part: one for part, one in loaded.items() if one.tensors}
    if not loaded:
        wanted = "; ".join(f"{file} ({file.source})" for file in files.values())
        raise MissingWeights(f"weights={str(path)!r} holds nothing that the model takes; wanted: {wanted}.")
    return loaded


def found(file: WeightFile) -> Path | None:
    """Where a file is already; None where it is nowhere.

    Looked for in its package, in the folder ``weights`` of the clone that was installed (-e), in
    ``$ROBUSTIQA_WEIGHTS``, in the cache.

    Raises:
        InvalidInput: the variable names no folder.
    """
    return _shipped(file) or _in_clone(file) or _in_variable(file) or _in_cache(file)


def _usual(file: WeightFile) -> Loaded:
    return _load(file, found(file) or _download(file))


def _load(file: WeightFile, path: Path) -> Loaded:
    return Loaded(file.select(read_tensors(path)), path, sha256_of(path))


def _shipped(file: WeightFile) -> Path | None:
    path = Path(str(package_files(file.package).joinpath(file.name))) if file.package else None
    return path if path is not None and path.is_file() else None


def _in_clone(file: WeightFile) -> Path | None:
    """Our own checkpoints that are too large for the wheel are kept in git, and known by their sha256."""
    path = CLONE / "weights" / file.name
    mine = file.name_sha256 and (CLONE / "pyproject.toml").is_file() and path.is_file()
    return path if mine and sha256_of(path) == file.name_sha256 else None


def _in_variable(file: WeightFile) -> Path | None:
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise InvalidInput(f"${VARIABLE} is {folder!r}, which is no folder; correct or unset it.")
    return file.within(Path(folder))


def _in_cache(file: WeightFile) -> Path | None:
    for name, digest in file.digests:
        path = cache_folder("weights") / name
        if path.is_file() and digest in {"", sha256_of(path)}:
            return path
    return None


def _download(file: WeightFile) -> Path:
    if not (file.url and file.sha256):
        raise MissingWeights(f"weights {file} were not found.\n{ways(file)}")
    try:
        found = pooch.retrieve(
            file.url, known_hash=f"sha256:{file.sha256}", fname=file.official, path=cache_folder("weights")
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        message = f"weights {file} were not found, and the download failed: {reason}\n{ways(file)}"
        raise MissingWeights(message) from error
    return Path(found)


def ways(file: WeightFile) -> str:
    """Every way to get a file, a line each."""
    digests = [f"    {name} {digest}" for name, digest in file.digests if digest]
    matching = ["; its sha256 must match:", *digests] if digests else [" (no sha256 of it is registered)"]
    ways = [
        _fetching(file),
        f"set ${VARIABLE} to a folder that holds it",
        "name a file or folder: MODEL:weights=PATH, or load_model(..., weights=PATH)",
        f"put it into {cache_folder('weights')}" + "\n".join(matching),
        f"take an untrained network, flagged in every result: MODEL:weights={RANDOM}",
    ]
    return "\n  * ".join([f"Ways to get them (official source: {file.source}):", *ways])


def _fetching(file: WeightFile) -> str:
    if not file.url:
        return "there is no address to fetch it from"
    return f"let it be fetched from {file.url}" if file.sha256 else f"fetch it yourself from {file.url}"


def _fit(module: nn.Module, part: str, loaded: Loaded, elsewhere: tuple[str, ...]) -> None:
    tensors = dict(loaded.tensors)
    if not part:
        tensors |= {name: tensor for name, tensor in module.state_dict().items() if name.startswith(elsewhere)}
    try:
        module.get_submodule(part).load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"{loaded.path} does not hold this model's weights: {reason}") from error
