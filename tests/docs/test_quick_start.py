"""The quick start does what it says."""

import numpy as np
import pytest
from PIL import Image

from tests.command import robustiqa
from tests.docs.pages import ROOT, blocks, commands

PAGE = (ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8")
ELSEWHERE = ("/data/",)  # folders of the reader


@pytest.fixture
def folder(tmp_path):
    """Where the reader is, with the pair of pictures that the page speaks of."""
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    distorted = np.clip(reference.astype(int) + rng.integers(-20, 20, reference.shape), 0, 255).astype(np.uint8)
    Image.fromarray(reference).save(tmp_path / "reference.png")
    Image.fromarray(distorted).save(tmp_path / "distorted.png")
    return tmp_path


@pytest.mark.slow
def test_every_command_that_needs_no_data_of_the_reader_runs(folder):
    """In the order of the page, benches on two small pairs; what the text promises is there."""
    lines = [line for block in blocks(PAGE, "sh") for line in commands(block)]
    lines = [line for line in lines if not any(place in word for word in line for place in ELSEWHERE)]
    assert len(lines) >= 8
    for line in lines:
        small = ["--limit", "2", "--crop", "64"] if line[0] == "bench" else []
        finished = robustiqa(*line, *small, cwd=folder)
        assert finished.returncode == 0, (line, finished.stderr)
    assert (folder / "runs/first/report/report.html").is_file()
    assert list((folder / "runs/one").glob("adversarial-*.png"))


def test_its_python_runs(capsys):
    """As it stands: scores before and after the attack, and of the defended model."""
    for block in blocks(PAGE, "python"):
        exec(compile(block, "quick-start.md", "exec"), {})
    assert capsys.readouterr().out.count("tensor(") == 4
