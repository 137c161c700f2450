"""Things that one process at a time works on. A process that is killed leaves nothing locked."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from robustiqa.core.errors import CannotWrite, InvalidInput

_DIGITS: Final = 15  # hexadecimal ones of a name, so that it is a place in a file of any size
_HELD: Final = frozenset({errno.EACCES, errno.EAGAIN})


@contextmanager
def held(path: Path, names: Mapping[str, str]) -> Iterator[None]:
    """Hold all ``names`` for this process until the block ends.

    Args:
        path: an empty file whose bytes stand for names; it is made, and stays.
        names: hexadecimal digests, each with what a message calls it.

    Raises:
        InvalidInput: another process holds one of them.
        CannotWrite: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise CannotWrite(path, error) from error
    try:
        for name, words in names.items():
            if not _take(descriptor, int(name[:_DIGITS], 16)):
                raise InvalidInput(
                    f"another process is writing to {path.parent} ({words}); wait for it, or give another --out "
                    "(each shard needs a folder of its own)."
                )
        yield
    finally:
        os.close(descriptor)  # which lets all of them go


def _take(descriptor: int, place: int) -> bool:
    """Whether the byte is ours now; also where the platform or the file system knows no locks."""
    try:
        import fcntl  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError as error:
        return error.errno not in _HELD
    return True
