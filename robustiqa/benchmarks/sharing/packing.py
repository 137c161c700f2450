"""Jobs as bytes, for other processes and machines."""

import io
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import cloudpickle

from robustiqa.benchmarks.job import Job
from robustiqa.core.model import QualityModel
from robustiqa.datasets.base import PairDataset
from robustiqa.models.from_file import MODULE

PARTS: Final = (QualityModel, PairDataset)
Handle = TypeVar("Handle")


def packed(thing: object) -> bytes:
    """A thing as bytes; classes of files that the user named travel with it."""
    _let_files_travel()
    data: bytes = cloudpickle.dumps(thing)
    return data


@dataclass(frozen=True)
class Packed(Generic[Handle]):
    """A job without its models and dataset, and these by name, nested ones too."""

    job: Handle
    parts: dict[str, Handle]


class Packer(Generic[Handle]):
    """Packs jobs; models and datasets are packed apart and once, however many jobs and models share them.

    Args:
        put: takes bytes and gives what they can be had back by.
    """

    def __init__(self, put: Callable[[bytes], Handle]) -> None:
        self._put = put
        self._known: dict[int, tuple[object, str, dict[str, Handle]]] = {}  # with the thing, so that its id stays its

    def pack(self, job: Job) -> Packed[Handle]:
        _let_files_travel()
        data, parts = self._bytes(job)
        return Packed(self._put(data), parts)

    def _bytes(self, thing: object) -> tuple[bytes, dict[str, Handle]]:
        parts: dict[str, Handle] = {}

        def named(part: object) -> str | None:
            if part is thing:
                return None
            name, needed = self._part(part)
            parts.update(needed)
            return name

        buffer = io.BytesIO()
        _Pickler(buffer, named).dump(thing)
        return buffer.getvalue(), parts

    def _part(self, part: object) -> tuple[str, dict[str, Handle]]:
        if id(part) not in self._known:
            data, needed = self._bytes(part)
            name = str(len(self._known))
            self._known[id(part)] = part, name, {**needed, name: self._put(data)}
        return self._known[id(part)][1:]


class Unpacker:
    """Makes jobs of bytes again; models and datasets that were needed lately are kept.

    Args:
        prepare: what is done with each part once it is loaded.
        keep: how many parts stay.
    """

    def __init__(self, prepare: Callable[[Any], Any], keep: int) -> None:
        self._prepare, self._keep = prepare, keep
        self._kept: dict[str, Any] = {}

    def unpack(self, data: bytes, fetch: Callable[[str], bytes]) -> Any:  # noqa: ANN401 (a job, or a part of one)
        """The thing that ``data`` was made of; ``fetch`` gives the bytes of a part that is not at hand."""
        return _Unpickler(io.BytesIO(data), lambda name: self._part(name, fetch)).load()

    def _part(self, name: str, fetch: Callable[[str], bytes]) -> Any:  # noqa: ANN401 (a model or a dataset)
        part = self._kept.pop(name, None)
        if part is None:
            part = self._prepare(self.unpack(fetch(name), fetch))
        self._kept[name] = part  # the last one used is the last one to go
        while len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]
        return part


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] # it has no types
    def __init__(self, file: io.BytesIO, name: Callable[[object], str | None]) -> None:
        super().__init__(file)
        self._name = name

    def persistent_id(self, thing: object) -> str | None:
        return self._name(thing) if isinstance(thing, PARTS) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, part: Callable[[str], Any]) -> None:
        super().__init__(file)
        self._part = part

    def persistent_load(self, name: str) -> Any:  # noqa: ANN401 (a model or a dataset)
        return self._part(name)


def _let_files_travel() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(MODULE):
            cloudpickle.register_pickle_by_value(module)
