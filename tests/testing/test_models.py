"""check_model: sound models pass, and each fault is named by its own check."""

from dataclasses import replace

import pytest
import torch

from robustiqa.core.errors import FaultyModel
from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models import load_model
from robustiqa.testing import check_model, find_faults


class MAE(QualityModel):
    """Sound; the toys below break one thing each."""

    info = ModelInfo("mae", lower_better=True, paper="toy", score_range=(0, 1))

    def compare(self, reference, dist):
        return (reference.image - dist).abs().flatten(1).mean(1)


class Noisy(MAE):
    """Sound, randomised."""

    info = replace(MAE.info, deterministic=False)

    def compare(self, reference, dist):
        noise = torch.stack([torch.rand((), generator=one) for one in reference.generators()])
        return super().compare(reference, dist) * (1 + 0.01 * noise)


class NoInfo(MAE):
    info = None


class Reduced(MAE):
    def compare(self, reference, dist):
        return super().compare(reference, dist).mean()


class OutOfRange(MAE):
    info = replace(MAE.info, score_range=(0, 0.01))


class Mixing(MAE):
    def compare(self, reference, dist):
        score = super().compare(reference, dist)
        return score / score.max().clamp_min(1e-6) if len(score) > 1 else score


class MisPrepared(MAE):
    def prepare(self, ref):
        return Reference(ref, (ref.flip(0).clone(),))

    def compare(self, reference, dist):
        return super().compare(Reference(reference.features[0].flip(0)), dist)


class GlobalNoise(MAE):
    def compare(self, reference, dist):
        return super().compare(reference, dist) + 1e-5 * torch.rand(1)


class NotRandom(MAE):
    info = replace(MAE.info, deterministic=False)


class Detached(MAE):
    def compare(self, reference, dist):
        return super().compare(reference, dist.detach())


class NaNGradient(MAE):
    def compare(self, reference, dist):
        return ((reference.image - dist) ** 2).sqrt().flatten(1).mean(1)


class Rounded(MAE):
    def compare(self, reference, dist):
        return super().compare(reference, (dist * 255).round() / 255)


class WrongWay(MAE):
    info = replace(MAE.info, lower_better=False)


class Large(MAE):
    def compare(self, reference, dist):
        return super().compare(reference, torch.nn.functional.conv2d(dist, torch.ones(3, 1, 9, 9) / 81, groups=3, padding=4)
                               if min(dist.shape[-2:]) >= 9 else dist[:, :, 9])  # fmt: skip


FAULTS = {
    NoInfo: "info", Reduced: "scores", OutOfRange: "range", Mixing: "batch", MisPrepared: "batch",
    GlobalNoise: "determinism", NotRandom: "randomness", Detached: "gradient", NaNGradient: "gradient",
    Rounded: "gradient", WrongWay: "direction", Large: "min_size",
}  # fmt: skip


@pytest.mark.parametrize("cls", FAULTS)
def test_a_fault_is_found_by_its_own_check(cls):
    """And the error lists it; the check is among the findings, with a sentence."""
    found = find_faults(cls())
    assert FAULTS[cls] in {finding.check for finding in found}, found
    with pytest.raises(FaultyModel, match=FAULTS[cls]):
        check_model(cls())


@pytest.mark.parametrize("model", [MAE, Noisy, "psnr", "ssim", "birqa", "gmsd", "sr-sim"])
def test_sound_models_pass(model):
    """Ours, a plain and a randomised toy."""
    assert find_faults(load_model(model) if isinstance(model, str) else model()) == []
