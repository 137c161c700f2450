"""The command line run inside the test's own process: as a shell would see it, without starting Python each time."""

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from robustiqa.cli.main import main


class Finished(NamedTuple):
    """What a command printed and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def robustiqa(*arguments, cwd=None):
    """Run ``robustiqa ARGUMENTS`` in the folder ``cwd``."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["robustiqa", *map(str, arguments)]),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            return Finished(int(stop.code), out.getvalue(), err.getvalue())
