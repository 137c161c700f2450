"""DiffPure over a denoiser of the user's own."""

import pytest
import torch

from robustiqa.benchmarks.records import defense_record
from robustiqa.core.errors import BrokenPlugin, InvalidInput
from robustiqa.defenses import load_defense
from robustiqa.defenses.purifiers.diffpure import noise_level, time_of
from tests.toys import Linear

DENOISERS = """
import torch

class Mean(torch.nn.Module):
    \"\"\"The best denoiser of flat images.\"\"\"
    deepest = 0.7

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, x, sigma):
        self.asked.append(sigma)
        return x.mean((2, 3), keepdim=True).expand_as(x)

class NeedsMore(Mean):
    def __init__(self, path):
        super().__init__()

Number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(DENOISERS)
    return path


def test_a_denoiser_of_ones_own_is_called_with_falling_noise(file):
    """It brings a flat image back from far more noise than FFDNet knows, and is asked for what the schedule says."""
    defense = load_defense(f"diffpure:t=0.3,steps=20,denoiser={file}:Mean")
    flat = torch.full((2, 3, 24, 24), 0.6)
    purified = defense.purify(flat, [torch.Generator().manual_seed(seed) for seed in (1, 2)])
    asked = defense.network.asked
    assert asked == pytest.approx([noise_level(0.3 - i * 0.015) for i in range(20)])
    assert float((purified - 0.6).abs().mean()) < 0.05
    assert not defense.network.training


def test_the_gradient_goes_through_it(file):
    """An adaptive attacker sees the whole loop."""
    model = load_defense(f"diffpure:t=0.1,steps=2,denoiser={file}:Mean").apply(Linear())
    dist = torch.rand((1, 3, 8, 8), generator=torch.Generator().manual_seed(0)).requires_grad_()
    model(dist.detach(), dist).sum().backward()
    assert float(dist.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [("t=0.5,denoiser={}:Mean", InvalidInput, "knows up to 178/255. Choose t of at most 0.3"),
     ("denoiser={}:NeedsMore", BrokenPlugin, "cannot be built"), ("denoiser={}:Number", InvalidInput, "no class of torch.nn.Module"),
     ("denoiser={}", InvalidInput, "name a file and its class"), ("denoiser=absent.py:Mean", InvalidInput, "no such file"),
     ("denoiser={}:Mean,weights=w.pth", InvalidInput, "loads its own weights")],
)  # fmt: skip
def test_what_is_no_denoiser_is_refused(file, parameters, error, words):
    """Before anything runs, by name."""
    with pytest.raises(error, match=words):
        load_defense("diffpure:" + parameters.format(file)).apply(Linear())


@pytest.mark.parametrize("level", [1e-3, 0.1, 75 / 255, 1.0])
def test_the_time_of_a_noise_level_is_its_inverse(level):
    """In closed form."""
    assert noise_level(time_of(level)) == pytest.approx(level)


def test_cells_tell_two_versions_of_a_denoiser_apart(file):
    """As they do of a plug-in's code."""

    def code():
        defense = load_defense(f"diffpure:denoiser={file}:Mean")
        return defense_record(defense, defense.apply(Linear())).code

    before = code()
    file.write_text(DENOISERS + "\n# other\n")
    assert code() != before
    assert "built-in" in before
