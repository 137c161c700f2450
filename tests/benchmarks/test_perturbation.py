"""Norms and visibility of what an attack added."""

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from robustiqa.benchmarks.perturbation import perturbations
from robustiqa.models.ssim import ssim
from tests.attacks.cases import images


def test_each_sample_is_measured_by_itself():
    """L∞, L2, SSIM and PSNR of the second image differ from those of the first, and are what peers compute."""
    before, _ = images(2, 16)
    after = before.clone()
    after[0, 0, 3, 4] = 1 - after[0, 0, 3, 4]
    after[1] = (after[1] + 0.1).clamp(0, 1)
    first, second = perturbations(before, after)
    assert first.linf == first.l2 == pytest.approx(float((after - before)[0].abs().max()))
    assert second.l2 == pytest.approx(float((after - before)[1].norm()))
    assert second.ssim == pytest.approx(float(ssim(before, after)[1]))
    assert second.psnr == pytest.approx(peak_signal_noise_ratio(before[1].numpy(), after[1].numpy(), data_range=1), abs=1e-4)


def test_images_below_the_window_have_no_ssim():
    """They are measured all the same."""
    before, after = images(2, 5)
    assert [one.ssim for one in perturbations(before, after)] == [None, None]
    assert torch.isfinite(torch.tensor([one.psnr for one in perturbations(before, after)])).all()
