"""PSNR against scikit-image's scores and its definition."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.models import load_model
from robustiqa.models.psnr import psnr


def test_equals_scikit_image_and_caps_identical_pairs(golden):
    """Scores agree with scikit-image; infinite ones are reported as the cap of 100 dB."""
    for row in golden("psnr_rgb"):
        value = float(psnr(row.ref.double(), row.dist.double()))
        wanted = 100 if math.isinf(row.value) else row.value
        assert abs(value - wanted) <= row.tolerance, row.pair
        assert abs(float(psnr(row.ref, row.dist)) - wanted) <= 1e-5, row.pair


@given(st.floats(1e-4, 0.5), st.integers(1, 9), st.integers(1, 9))
def test_of_a_constant_difference_is_minus_20_log10_of_it(difference, height, width):
    """A difference of d everywhere has mean squared error d^2 at any size."""
    ref = torch.full((1, 3, height, width), 0.25, dtype=torch.float64)
    value = float(psnr(ref, ref + difference))
    assert abs(value - min(100, -20 * math.log10(difference))) < 1e-9


def test_gradient_is_finite_at_and_around_the_cap():
    """Identical and almost identical images have finite gradients, so an attack can start there."""
    ref = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    noise = torch.tensor([0.0, 1e-7, 1.1e-5, 1e-3])[:, None, None, None]
    dist = (ref + noise).requires_grad_()
    scores = psnr(ref, dist)
    (gradient,) = torch.autograd.grad(scores.sum(), dist)
    assert gradient.isfinite().all()
    assert (scores[:2] == 100).all()
    assert float(gradient[0].abs().max()) == 0
    assert float(gradient[3].abs().max()) > 0


def test_gradient_is_the_derivative():
    """Autograd agrees with finite differences in float64."""
    generator = torch.Generator().manual_seed(0)
    ref, dist = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda x: psnr(ref, x), dist.requires_grad_())


def test_a_sample_does_not_depend_on_its_batch(random_pairs):
    """A batch of 5 gives, bit for bit, the scores of 5 batches of 1."""
    ref, dist = random_pairs(5, 33, 47)
    single = torch.cat([psnr(ref[i : i + 1], dist[i : i + 1]) for i in range(5)])
    assert torch.equal(psnr(ref, dist), single)


def test_model_declares_what_it_returns(random_pairs):
    """Higher is better, within the declared range, and the model equals the function."""
    model = load_model("psnr")
    ref, dist = random_pairs(2, 7, 9)
    low, high = model.info.score_range
    scores = model(ref, torch.stack((dist[0], ref[1])))
    assert not model.info.lower_better
    assert low <= scores[0] < scores[1] == high
    assert float(psnr(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2))) == low
    assert torch.equal(model(ref, dist), psnr(ref, dist))
