"""``robustiqa train-attack`` as a user meets it."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.command import robustiqa


@pytest.fixture
def photographs(tmp_path):
    """Three small photographs."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(folder / f"p{i}.png")
    return folder


def test_it_writes_a_file_that_the_attack_command_uses(photographs, tmp_path):
    """Tensors and record; the attack finds them in the cache; the other direction asks for the command."""
    out = tmp_path / "pattern.safetensors"
    result = robustiqa("train-attack", "uap", "--model", "ssim", "--dataset", f"kadid-style={photographs}",
                       "--steps", 3, "--crop", 32, "--out", out)  # fmt: skip
    assert result.returncode == 0, result.stderr
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["sha256"] in result.stdout
    assert record["target"]["model"] == "ssim"
    pair = [photographs / "p0.png", photographs / "p1.png", "--model", "ssim", "--attack", "uap", "--out", tmp_path / "a"]
    assert robustiqa("attack", *pair).returncode == 0
    refused = robustiqa("attack", *pair, "--direction", "down")
    assert refused.returncode == 2
    assert "robustiqa train-attack uap --model ssim --direction down" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["pgd"], ["pgd", "facpa"]), (["uap", "--dataset", "live=."], ["live", "kadid-style=FOLDER"]),
     (["facpa", "--dataset", "kadid-style=nowhere"], ["nowhere"]), (["uap", "--crop", "0"], ["crop"])],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(arguments, words, tmp_path):
    """Exit code 2 and one line that names it."""
    result = robustiqa("train-attack", *arguments, "--model", "ssim", "--out", tmp_path / "f.safetensors")
    assert result.returncode == 2
    assert all(word in result.stderr for word in words)
    assert "Traceback" not in result.stderr
