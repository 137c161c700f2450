"""Atomic writes under injected faults."""

import os
from pathlib import Path

import pytest

from robustiqa.core.files import write_atomically


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (os, "fdopen"), (Path, "replace")])
def test_a_fault_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, owner, name):
    """Whatever step fails, a reader finds the old content."""
    target = tmp_path / "cell.json"
    write_atomically(target, "old")

    def fail(*_arguments, **_keywords):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(OSError, match="No space"):
            write_atomically(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_content_replaces_what_was_there(tmp_path):
    """Text and bytes; folders are made."""
    target = tmp_path / "a" / "b.bin"
    write_atomically(target, "one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"


def test_a_disk_that_fills_up_within_a_write_leaves_the_old_file(tmp_path, monkeypatch):
    """Half of the content was written; nobody sees it, and it does not stay."""
    target = tmp_path / "cell.json"
    write_atomically(target, "old")
    fdopen = os.fdopen

    class Full:
        def __init__(self, handle, mode):
            self.file = fdopen(handle, mode)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            self.file.write(data[: len(data) // 2])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(target, "new content")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
