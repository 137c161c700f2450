"""Classes out of a Python file that the user names: ``path/to/file.py:Class``. The file is run."""

import re
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from robustiqa.core.errors import BrokenPlugin, InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.models.entry import as_entry
from robustiqa.models.weights import Weights, sha256_of

MODULE: Final = "robustiqa_file_"  # the beginning of the names of modules made of files
SPELLING: Final = re.compile(r"(?P<file>.+\.py)(?::(?P<name>.*))?")


def is_file(text: str) -> bool:
    """Whether ``text`` names a Python file rather than a model of the registry."""
    return SPELLING.fullmatch(text) is not None


def load_from_file(text: str, weights: Weights = None) -> QualityModel:
    """An instance of the class that ``text`` names, frozen; its name is ``text``, so that it can be typed again.

    Raises:
        InvalidInput: no such file or class, or the class is no model.
        BrokenPlugin: running the file failed.
    """
    module, name = run_named(text, "model")
    model = as_entry(text, _model_class(module, name, text)).build({}, weights)
    model.info = replace(model.info, name=text)
    return model


def run_named(text: str, what: str) -> tuple[ModuleType, str]:
    """The module that the file of ``text`` makes, and the name behind the file, which it need not have.

    Args:
        what: what the class is to be, for messages: ``model``.

    Raises:
        InvalidInput: no such file, or no name behind it.
        BrokenPlugin: running the file failed.
    """
    match = SPELLING.fullmatch(text)
    if match is None or not (match["name"] or "").isidentifier():
        raise InvalidInput(f"{what} {text!r}: name a file and its class, as in path/to/file.py:MyClass.")
    file = Path(match["file"])
    if not file.is_file():
        raise InvalidInput(f"{what} {text!r}: no such file {file}.")
    return _run(file), match["name"]


def _run(file: Path) -> ModuleType:
    name = f"{MODULE}{sha256_of(file)[:16]}"
    spec = spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{file} is not a Python file.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and the digest of the source look their module up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BrokenPlugin(f"{file} failed to run: {error!r}") from error
    return module


def _model_class(module: ModuleType, name: str, text: str) -> type[QualityModel]:
    found = vars(module).get(name)
    if isinstance(found, type) and issubclass(found, QualityModel) and hasattr(found, "info"):
        return found
    models = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, QualityModel) and hasattr(value, "info")
    ]
    what = "has no such class" if found is None else "that is no QualityModel class with an attribute info"
    raise InvalidInput(f"model {text!r}: {what}; its models: {', '.join(models) or 'none'}.")
