"""Threads that share a batch, interrupted from a shell."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CHILD = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let jobs in the background ignore it
from robustiqa.cli import main
from robustiqa.models import psnr
compare = psnr.PSNR.compare

def announced(*arguments):
    sys.stdout.write("call\\n")
    sys.stdout.flush()
    return compare(*arguments)

psnr.PSNR.compare = announced
main.main()
"""


def test_ctrl_c_ends_a_long_batch_at_its_next_call_and_says_how_to_go_on(tmp_path):
    """A search of a million queries on two threads: over within seconds, exit code 130."""
    root = Path(__file__).parents[3]
    words = ["bench", "--model", "psnr", "--attack", "square:queries=1000000", "--limit", "2", "--crop", "16",
             "--threads", "2", "--judges", "none", "--out", str(tmp_path)]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *words], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        for _ in range(500):  # far more than the clean scores take
            assert child.stdout.readline() == "call\n"
        child.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, said = child.communicate(timeout=120)
        assert time.monotonic() - start < 60
    assert child.returncode == 130
    assert "interrupted; finished batches are kept, the same command continues" in said
    assert list((tmp_path / "cells").glob("*.json"))  # clean scores
