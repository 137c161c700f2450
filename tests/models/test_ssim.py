"""SSIM against scikit-image, piq's gradients and its properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from robustiqa.core.errors import InvalidInput
from robustiqa.core.filters import gaussian_filter
from robustiqa.models import load_model
from robustiqa.models.ssim import ssim


def test_equals_the_golden_scores(golden):
    """Float32 images get scikit-image's float64 score of unrounded luma."""
    for row in golden("ssim_y.wang_valid_unrounded"):
        assert abs(float(ssim(row.ref, row.dist)) - row.value) <= row.tolerance, row.pair


@settings(max_examples=25)
@given(st.integers(11, 40), st.integers(11, 40), st.integers(0, 2**16), st.floats(0, 1))
def test_equals_scikit_image_at_any_size(height, width, seed, noise):
    """Odd sizes and any similarity agree with an independent implementation."""
    rng = np.random.default_rng(seed)
    ref = rng.random((height, width, 3))
    dist = (1 - noise) * ref + noise * rng.random((height, width, 3))
    y_ref, y_dist = (image @ [0.299, 0.587, 0.114] for image in (ref, dist))
    _, full = structural_similarity(
        y_ref,
        y_dist,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    tensors = (torch.from_numpy(image.transpose(2, 0, 1))[None] for image in (ref, dist))
    assert float(ssim(*tensors)) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-10)


@pytest.mark.parametrize("pair", ["I03", "own_jpeg"])
def test_gradient_equals_piq(shared, pair):
    """Score and gradient agree with piq's float64 ones."""
    oracle = np.load(shared / "oracles" / "gradients.npz")
    ref, dist = (
        torch.from_numpy(oracle[f"{pair}.{name}"].transpose(2, 0, 1) / 255.0)[None] for name in ("ref_u8", "dist_u8")
    )
    score = ssim(ref, dist.requires_grad_())
    (gradient,) = torch.autograd.grad(score.sum(), dist)
    assert score.item() == pytest.approx(float(oracle[f"{pair}.ssim_y_piq_f64.score"]), abs=1e-9)
    np.testing.assert_allclose(gradient[0].numpy(), oracle[f"{pair}.ssim_y_piq_f64.grad"], atol=1e-8, rtol=1e-5)


def test_is_one_with_a_finite_gradient_for_identical_images():
    """The same image scores exactly 1, flat images too, and no gradient is NaN."""
    generator = torch.Generator().manual_seed(0)
    ref = torch.stack((torch.rand(3, 16, 16, generator=generator), torch.zeros(3, 16, 16), torch.ones(3, 16, 16)))
    dist = ref.clone().requires_grad_()
    scores = ssim(ref, dist)
    (gradient,) = torch.autograd.grad(scores.sum(), dist)
    torch.testing.assert_close(scores.detach(), torch.ones(3), atol=1e-7, rtol=0)
    assert gradient.isfinite().all()


def test_a_sample_does_not_depend_on_its_batch(random_pairs):
    """A batch of 3 gives the scores of 3 batches of 1."""
    ref, dist = random_pairs(3, 25, 33)
    single = torch.cat([ssim(ref[i : i + 1], dist[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(ssim(ref, dist), single, atol=1e-7, rtol=0)


def test_prepared_references_are_filtered_once(random_pairs, monkeypatch):
    """Comparing with a prepared reference filters the distorted image and the product, never the reference."""
    ref, dist = random_pairs(2, 16, 16)
    model = load_model("ssim")
    reference = model.prepare(ref)
    seen = []
    monkeypatch.setattr("robustiqa.models.ssim.gaussian_filter", lambda *a: seen.append(1) or gaussian_filter(*a))
    score = model.compare(reference, dist)
    in_compare = len(seen)
    assert torch.equal(score, model(ref, dist))
    assert in_compare < len(seen) - in_compare


def test_refuses_images_smaller_than_its_window(random_pairs):
    """Ten pixels are refused with the minimum named; eleven are scored."""
    model = load_model("ssim")
    with pytest.raises(InvalidInput, match="minimum of 11"):
        model(*random_pairs(1, 10, 40))
    assert model(*random_pairs(1, 11, 11)).shape == (1,)
    assert not model.info.lower_better
