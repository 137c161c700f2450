"""check_defense: sound defenses pass, and each fault is named by its own check."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from safetensors.torch import save_file

from robustiqa.core.errors import FaultyDefense
from robustiqa.core.model import QualityModel
from robustiqa.defenses import load_defense
from robustiqa.defenses.base import Defense
from robustiqa.defenses.purifiers.base import Purifier
from robustiqa.models import TRAINABLE, load_model
from robustiqa.testing import check_defense, find_defense_faults


@dataclass(frozen=True)
class Fade(Purifier):
    """Pulls images towards grey; the toys below break one thing each."""

    name: ClassVar[str] = "fade"
    share: float = 0.1

    def purify(self, x, generators):
        return x + self.share * (0.5 - x)


class Untyped(Fade):
    """No word."""

    name = "fa+de"


class NoDataclass(Fade):
    """Forgets its decorator."""

    sigma: float = 0.1


class Bare(Defense):
    """Whatever apply does."""

    name = "bare"

    def apply(self, model):
        return model


class NoModel(Bare):
    """A function is no model."""

    def apply(self, model):
        return model.score


class Retrains(Bare):
    """Works on the model that it got."""

    def apply(self, model):
        model.info = replace(model.info, paper="retrained")
        return load_defense("gaussian").apply(model)


class Defended(QualityModel):
    def __init__(self, model, info=None):
        super().__init__()
        self.model, self.info = model, info or model.info

    def compare(self, reference, dist):
        return self.model.compare(self.model.prepare(reference.image), dist)


class Renamed(Bare):
    """Takes another name."""

    def apply(self, model):
        return Defended(model, replace(model.info, name="mine")).frozen()


class Melted(Bare):
    """Leaves a parameter that learns."""

    def apply(self, model):
        defended = Defended(model)
        defended.extra = torch.nn.Parameter(torch.zeros(1))
        return defended


class UpsideDown(Bare):
    """A distance under a quality's flag."""

    def apply(self, model):
        class Negative(Defended):
            def compare(self, reference, dist):
                return -super().compare(reference, dist)

        return Negative(model).frozen()


class Moody(Bare):
    """Other at every application."""

    def apply(self, model):
        return load_defense("gaussian", sigma=float(0.5 + torch.rand(1, generator=GENERATOR))).apply(model)


GENERATOR = torch.Generator().manual_seed(0)


class Global(Fade):
    """Draws where everybody draws."""

    def purify(self, x, generators):
        return x + 0.01 * torch.rand(1)


class Unpaired(Fade):
    """Turns one of two images over, and scales it."""

    def purify(self, x, generators):
        return 1 - x


class OutOfRange(Fade):
    """Sharpens past white."""

    def purify(self, x, generators):
        return x * 1.5


class NotRandom(Fade):
    """Says that it draws."""

    @property
    def randomised(self):
        return True


class Secret(Fade):
    """Draws and does not say so."""

    def purify(self, x, generators):
        return torch.stack([(row + 0.01 * torch.rand((), generator=one)).clamp(0, 1) for row, one in zip(x, generators, strict=True)])


class Mixing(Fade):
    """Normalises by the brightest image of the batch."""

    def purify(self, x, generators):
        return x / x.mean((1, 2, 3), keepdim=True).max() / 4


class Rounded(Fade):
    """Has no gradient and lends none."""

    def purify(self, x, generators):
        return (x * 15).round() / 15


class Shrinks(Fade):
    """Halves images and still accepts the smallest."""

    def purify(self, x, generators):
        return x[:, :, ::2, ::2]

    paired = True


FAULTS = {
    Untyped: "declaration", NoDataclass: "declaration", Bare: "apply", NoModel: "apply", Retrains: "apply",
    Renamed: "apply", Melted: "apply", UpsideDown: "direction", Moody: "repeats", Global: "global-state",
    Unpaired: "direction", OutOfRange: "purified", NotRandom: "purified", Secret: "purified", Mixing: "batch",
    Rounded: "gradient", Shrinks: "min_size",
}  # fmt: skip


@pytest.mark.parametrize("cls", FAULTS)
def test_a_fault_is_found_by_its_own_check(cls):
    """And the error lists it; the check is among the findings, with a sentence."""
    found = find_defense_faults(cls())
    assert FAULTS[cls] in {finding.check for finding in found}, found
    with pytest.raises(FaultyDefense, match=FAULTS[cls]):
        check_defense(cls())


def test_a_finding_says_what_a_defense_does_about_it():
    """The missing gradient of a rounding purifier: lend one."""
    with pytest.raises(FaultyDefense, match="lend_gradient"):
        check_defense(Rounded())


@pytest.mark.parametrize(
    "text", ["bit-depth", "jpeg", "gaussian", "median", "noise", "flip", "rotate", "crop:size=48", "resize", "tv:steps=3", "jpeg+flip"]
)
def test_sound_defenses_pass(text):
    """Ours: with a gradient of their own, a lent one, random, paired, and in a row; a toy."""
    assert find_defense_faults(load_defense(text)) == []
    check_defense(Fade())


def test_a_training_defense_is_tried_on_a_model_that_it_can_train(tmp_path):
    """SSIM cannot be; the model to try it on is an argument."""
    trainable = TRAINABLE.get("birqa")
    base = load_model("birqa")
    save_file(trainable.checkpoint(base), tmp_path / "aat.safetensors")
    aat = load_defense(f"aat:weights={tmp_path / 'aat.safetensors'}")
    with pytest.raises(FaultyDefense, match="'ssim' cannot be"):
        check_defense(aat)
    check_defense(aat, base)
