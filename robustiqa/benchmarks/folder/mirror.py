"""Results in an object store (``s3://bucket/run``, any URL that fsspec knows), through a folder of this machine.

Object stores have no append, no rename and no locks, so a run keeps its journals and locks in a folder of its own.
Whole files go up from there: cells and pictures by their names, which are digests of what they are, and the journals of
unfinished cells. Whoever goes on elsewhere merges them with what is there first.
"""

import hashlib
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from robustiqa.benchmarks.folder.merging import merge
from robustiqa.benchmarks.folder.store import Store
from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import CannotWrite, InvalidInput
from robustiqa.core.files import write_atomically

NAMES: Final = re.compile(r"cells/[0-9a-f]{8,64}\.jsonl?|images/[0-9a-f]{8,64}\.png|shard\.json", re.ASCII)
EVERY: Final = 30.0  # seconds between uploads of a run under way


class Bucket:
    """What a URL holds. Stores raise errors of their own, which are no OSErrors, such as for missing credentials.

    Raises:
        InvalidInput: fsspec knows no such protocol, or lacks a package for it.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415 (slow, and for URLs alone)

        self.url = url.rstrip("/")
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise InvalidInput(f"{url}: {error}") from error

    def names(self) -> set[str]:
        """Names that we could have given; other files are let lie, wherever they would lead.

        Raises:
            InvalidInput: the URL cannot be read.
        """
        try:
            self._files.invalidate_cache()
            found = self._files.find(self._root) if self._files.exists(self._root) else []
        except Exception as error:
            raise self._unreadable(error) from error
        names = (str(path).removeprefix(self._root).lstrip("/") for path in found)
        return {name for name in names if NAMES.fullmatch(name)}

    def fetch(self, folder: Path) -> None:
        """Every file into ``folder``, but for those that it has.

        Raises:
            InvalidInput: the URL cannot be read.
            CannotWrite: the folder cannot be written into.
        """
        for name in sorted(self.names()):
            if not (folder / name).exists():
                try:
                    data: bytes = self._files.cat_file(f"{self._root}/{name}")
                except Exception as error:
                    raise self._unreadable(error) from error
                write_atomically(folder / name, data)

    def put(self, name: str, data: bytes) -> None:
        """One whole file.

        Raises:
            CannotWrite: the URL cannot be written.
        """
        path = f"{self._root}/{name}"
        with self._changing(name):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data)

    def drop(self, name: str) -> None:
        """Delete one file; likewise."""
        with self._changing(name):
            self._files.rm_file(f"{self._root}/{name}")

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            reason = error if isinstance(error, OSError) else OSError(f"{type(error).__name__}: {error}")
            raise CannotWrite(Path(f"{self.url}/{name}"), reason) from error

    def _unreadable(self, error: Exception) -> InvalidInput:
        return InvalidInput(f"{self.url} cannot be read: {error}")


@contextmanager
def fetched(places: Sequence[Path | str]) -> Iterator[list[Path]]:
    """Folders with what the places hold: themselves, or copies of what is at URLs.

    Raises:
        InvalidInput: a URL cannot be read.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folders = []
        for number, place in enumerate(places):
            folder = Path(temporary) / str(number) if isinstance(place, str) else place
            if isinstance(place, str):
                Bucket(place).fetch(folder)
            folders.append(folder)
        yield folders


class Mirror:
    """A folder of this machine beside a URL, for a run.

    Args:
        folder: None for one of the cache, of this URL alone.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self._bucket = Bucket(url)
        name = hashlib.sha256(self._bucket.url.encode()).hexdigest()[:16]
        self.folder = folder or cache_folder("results") / name
        self._sent: dict[str, tuple[int, int]] = {}
        self._due = time.monotonic() + EVERY

    def pull(self) -> None:
        """Merge what the URL holds into the folder.

        Raises:
            InvalidInput: the URL cannot be read, or holds other numbers for the same samples.
            CannotWrite: the folder cannot be written into.
        """
        with tempfile.TemporaryDirectory() as folder:
            self._bucket.fetch(Path(folder))
            if Store(Path(folder)).holds_cells():
                merge([Path(folder)], self.folder)

    def push(self) -> None:
        """Send what is new in the folder; then drop the journals of cells that are finished.

        Raises:
            CannotWrite: the URL cannot be written.
        """
        there, here = self._bucket.names(), dict(self._here())
        for name, mark in here.items():
            if self._sent.get(name) != mark and not (name.startswith("images/") and name in there):
                self._bucket.put(name, (self.folder / name).read_bytes())
            self._sent[name] = mark
        for name in there - here.keys():
            if name.endswith(".jsonl") and name.removesuffix("l") in here:
                self._bucket.drop(name)
        self._due = time.monotonic() + EVERY

    def push_if_due(self) -> None:
        """:meth:`push`, where the last one is some time ago."""
        if time.monotonic() >= self._due:
            self.push()

    def _here(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Pictures before the cells that name them."""
        for pattern in ("shard.json", "images/*.png", "cells/*.json", "cells/*.jsonl"):
            for path in sorted(self.folder.glob(pattern)):
                name, stat = path.relative_to(self.folder).as_posix(), path.stat()
                if NAMES.fullmatch(name):
                    yield name, (stat.st_mtime_ns, stat.st_size)
