"""Files that are either old or new, never half written."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from robustiqa.core.errors import CannotWrite

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` to a temporary file beside ``path``, flush it to disk and rename it over ``path``.

    Whoever reads ``path``, at any moment and after any crash, finds the old content or the new. The file's mode is
    what the umask leaves of rw-rw-rw-, as that of any file that a program makes.

    Raises:
        CannotWrite: the disk is full, the folder is read-only, ...; ``path`` is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
        _sync_folder(path.parent)
    except OSError as error:
        raise CannotWrite(path, error) from error


def append_durably(path: Path, data: bytes) -> None:
    """Add ``data`` to the end of ``path``, which is made where there is none, and flush it to disk.

    Raises:
        CannotWrite: likewise; what was written of ``data`` is taken back, as far as the disk allows.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        _append(path, data)
        if is_new:
            _sync_folder(path.parent)
    except OSError as error:
        raise CannotWrite(path, error) from error


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 (one place where faults of the system can be put in for tests)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    """All of ``data``, however little of it the system takes at a time."""
    rest = memoryview(data)
    while rest:
        taken = os.write(descriptor, rest)
        if taken == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rest = rest[taken:]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows cannot open folders, and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
