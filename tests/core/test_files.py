"""Writes under injected faults: a reader finds the old file or the new one, and whoever wrote is told."""

import errno
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from robustiqa.core.errors import CannotWrite, InvalidInput
from robustiqa.core.files import append_durably, write_atomically
from robustiqa.core.locks import held

CALLS = ("open", "write", "fsync", "close", "replace")


def failing(monkeypatch, name, code, after=0):
    """Make the ``after``-th next call of ``os.NAME`` fail; a failing close still closes."""
    real, count = getattr(os, name), [0]

    def fault(*arguments, **keywords):
        count[0] += 1
        if count[0] != after + 1:
            return real(*arguments, **keywords)
        if name == "close":
            real(*arguments)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, name, fault)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("name", CALLS)
def test_any_failing_call_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, name, code):
    """A full disk, a broken one, a read-only folder: one line that names the file and the reason."""
    target = tmp_path / "cell.json"
    write_atomically(target, "old")
    with monkeypatch.context() as patch:
        failing(patch, name, code)
        with pytest.raises(CannotWrite, match=f"cannot write .*cell.json: {os.strerror(code)}"):
            write_atomically(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_flushed_is_told_and_the_new_file_is_whole(tmp_path, monkeypatch):
    """The rename was made, but may not survive a power cut."""
    target = tmp_path / "cell.json"
    write_atomically(target, "old")
    with monkeypatch.context() as patch:
        failing(patch, "fsync", errno.EIO, after=1)
        with pytest.raises(CannotWrite):
            write_atomically(target, "new")
    assert target.read_text() == "new"


def test_short_writes_are_continued(tmp_path, monkeypatch):
    """A system that takes a byte at a time gets all of them; one that takes none is an error, not a loop."""
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:1]))
        write_atomically(tmp_path / "a", "content")
        append_durably(tmp_path / "a", b" and more")
    assert (tmp_path / "a").read_text() == "content and more"
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: 0)
        with pytest.raises(CannotWrite):
            write_atomically(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "content and more"


def test_an_interrupt_within_a_write_leaves_the_old_file(tmp_path, monkeypatch):
    """Ctrl-C between the write and the rename; no temporary file stays."""
    target = tmp_path / "cell.json"
    write_atomically(target, "old")

    def interrupted(_descriptor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(target, "new")
    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_a_failed_append_is_taken_back(tmp_path, monkeypatch, name):
    """Half a line was written when the disk was full: the journal is what it was."""
    target = tmp_path / "cell.jsonl"
    append_durably(target, b"one\n")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:2]))
        failing(patch, name, errno.ENOSPC, after=1 if name == "write" else 0)
        with pytest.raises(CannotWrite, match="No space left"):
            append_durably(target, b"another\n")
    assert target.read_bytes() == b"one\n"
    append_durably(target, b"two\n")
    assert target.read_bytes() == b"one\ntwo\n"


def test_content_replaces_what_was_there(tmp_path):
    """Text and bytes; folders are made."""
    target = tmp_path / "a" / "b.bin"
    write_atomically(target, "one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_files_have_the_mode_that_the_umask_says(tmp_path, mask):
    """Colleagues can read results where the user's umask lets them."""
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "a", "x")
        append_durably(tmp_path / "b", b"x")
    finally:
        os.umask(before)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"} == {0o666 & ~mask}


LIMITED = """
import resource, signal, sys
from pathlib import Path
from robustiqa.core.files import append_durably, write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (lambda: write_atomically(Path(sys.argv[1]) / "a", "y" * 5000), lambda: append_durably(Path(sys.argv[1]) / "b", b"y" * 5000)):
    try:
        write()
    except OSError as error:
        print(type(error).__name__, error.errno)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ") or not hasattr(resource, "RLIMIT_FSIZE"), reason="needs limits of the system")
def test_a_genuine_limit_of_the_system_cuts_nothing(tmp_path):
    """The kernel takes a thousand bytes, then refuses: a short write without any mock."""
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": str(root)})  # fmt: skip
    assert done.stdout.split("\n")[:2] == [f"CannotWrite {errno.EFBIG}"] * 2
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "b": "old"}


def _hold(path, names, ready, done):
    with held(path, names):
        ready.set()
        done.wait(60)


def test_what_another_process_holds_is_refused_until_it_ends_or_is_killed(tmp_path):
    """One name at a time; a killed process leaves nothing locked."""
    path, own, other = tmp_path / "cells" / ".lock", {"0a" * 16: "a cell"}, {"0b" * 16: "another"}
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(path, own, ready, done))
    process.start()
    assert ready.wait(60)
    with pytest.raises(InvalidInput, match=r"another process is writing to .*cells \(a cell\)"), held(path, own):
        pass
    with held(path, other):
        pass
    process.kill()
    process.join()
    with held(path, own | other):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    for write in (lambda: write_atomically(tmp_path / "file" / "a", ""), lambda: append_durably(tmp_path / "file" / "a", b"")):
        with pytest.raises(CannotWrite, match="Not a directory|exists"):
            write()
    with pytest.raises(CannotWrite), held(tmp_path / "file" / ".lock", {}):
        pass
