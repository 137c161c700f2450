"""Results in an object store (``s3://bucket/run``, any URL that fsspec knows), through a folder of this machine.

Object stores have no append, no rename and no locks, so a run keeps its journals and locks in a folder of its own. Whole
files go up from there: cells and pictures by their names, which are digests of what they are, and the journals of
unfinished cells. Who goes on elsewhere fetches them first.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from platformdirs import user_cache_path

from robustiqa.core.errors import CannotWrite, InvalidInput
from robustiqa.core.files import write_atomically

NAMES: Final = re.compile(r"cells/[0-9a-f]{8,64}\.jsonl?|images/[0-9a-f]{8,64}\.png|shard\.json", re.ASCII)
EVERY: Final = 30.0  # seconds between uploads of a run under way


def is_url(text: str) -> bool:
    """Whether results are to be in an object store rather than a folder."""
    return re.match(r"[a-z][a-z0-9+.-]*://", text) is not None


class Mirror:
    """A folder of this machine and what a URL holds.

    Args:
        url: such as ``s3://bucket/run``.
        folder: None for one of the cache, of this URL alone.

    Raises:
        InvalidInput: fsspec knows no such protocol, or lacks a package for it.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self.folder = folder or _cache() / hashlib.sha256(self.url.encode()).hexdigest()[:16]
        self._files, self._root = _file_system(self.url)
        self._sent: dict[str, tuple[int, int]] = {}
        self._due = time.monotonic() + EVERY

    def pull(self) -> None:
        """Fetch what the URL holds and this folder has not; a cell that is finished here keeps its file.

        Raises:
            InvalidInput: the URL cannot be read.
        """
        try:
            for name in self._there():
                path = self.folder / name
                if not path.exists() and not path.with_suffix(".json").exists():
                    write_atomically(path, self._files.cat_file(f"{self._root}/{name}"))
        except CannotWrite:
            raise
        except OSError as error:
            raise InvalidInput(f"{self.url} cannot be read: {error}") from error

    def push(self) -> None:
        """Send what is new here, whole files only; then drop the journals of cells that are finished.

        Raises:
            CannotWrite: the URL cannot be written.
        """
        try:
            here = dict(self._here())
            for name, mark in here.items():
                if self._sent.get(name) != mark:
                    self._files.makedirs(f"{self._root}/{name}".rpartition("/")[0], exist_ok=True)
                    self._files.pipe_file(f"{self._root}/{name}", (self.folder / name).read_bytes())
                    self._sent[name] = mark
            self._drop_journals(here)
        except OSError as error:
            raise CannotWrite(Path(self.url), error) from error
        self._due = time.monotonic() + EVERY

    def push_if_due(self) -> None:
        """:meth:`push`, where the last one is some time ago."""
        if time.monotonic() >= self._due:
            self.push()

    def _drop_journals(self, here: dict[str, tuple[int, int]]) -> None:
        for name in self._there():
            if name.endswith(".jsonl") and name not in here and name.removesuffix("l") in here:
                self._files.rm_file(f"{self._root}/{name}")

    def _there(self) -> list[str]:
        """Names that we could have given; others are let lie, wherever they would lead."""
        if not self._files.exists(self._root):
            return []
        self._files.invalidate_cache()
        root = self._files._strip_protocol(self._root)  # noqa: SLF001 (as found paths are spelled)
        names = (path.removeprefix(root).lstrip("/") for path in self._files.find(root))
        return sorted(name for name in names if NAMES.fullmatch(name))

    def _here(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Pictures first and journals last, so that what is there refers to nothing that is not."""
        for pattern in ("shard.json", "images/*.png", "cells/*.json", "cells/*.jsonl"):
            for path in sorted(self.folder.glob(pattern)):
                name, stat = path.relative_to(self.folder).as_posix(), path.stat()
                if NAMES.fullmatch(name):
                    yield name, (stat.st_mtime_ns, stat.st_size)


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415 (slow, and for URLs alone)

    try:
        files, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InvalidInput(f"{url}: {error}") from error
    return files, root


def _cache() -> Path:
    return Path(user_cache_path("robustiqa")) / "results"
