"""Gaussian filters against scipy's, and luma against its definition."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from robustiqa.core.filters import gaussian_filter, gaussian_window, luma


def test_window_is_normalised_symmetric_and_of_the_right_width():
    """The window sums to 1, is symmetric, and falls as exp(-x^2 / 2 sigma^2)."""
    window = gaussian_window(11, 1.5, torch.empty(0, dtype=torch.float64))
    assert float(window.sum()) == pytest.approx(1, abs=1e-15)
    assert torch.equal(window, window.flip(0))
    assert float(window[5] / window[8]) == pytest.approx(np.exp(9 / 4.5))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (11, 23), (37, 12)])
def test_same_equals_scipy_with_replicated_border(height, width):
    """Every channel of every sample is filtered on its own, as scipy does with mode nearest."""
    x = np.random.default_rng(0).random((2, 3, height, width))
    wanted = ndimage.gaussian_filter(x, 1.5, axes=(2, 3), mode="nearest", radius=5)
    np.testing.assert_allclose(gaussian_filter(torch.from_numpy(x), 11, 1.5, "same").numpy(), wanted, atol=1e-14)


def test_valid_is_the_interior_of_same():
    """The valid mode returns only windows that lie inside the image."""
    x = torch.rand(1, 2, 20, 31, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    inside = gaussian_filter(x, 11, 1.5, "same")[..., 5:-5, 5:-5]
    torch.testing.assert_close(gaussian_filter(x, 11, 1.5, "valid"), inside, atol=1e-15, rtol=0)


def test_luma_weighs_the_channels_as_bt601():
    """Pure red, green and blue have lumas .299, .587 and .114; white has 1."""
    colors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])[:, :, None, None]
    torch.testing.assert_close(luma(colors).flatten(), torch.tensor([0.299, 0.587, 0.114, 1.0]))


@pytest.mark.parametrize("mode", ["valid", "same"])
def test_the_filters_gradient_is_that_of_finite_differences(mode):
    """Its own backward pass, and that one's, agree with numerical derivatives."""
    x = torch.rand(2, 2, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: gaussian_filter(y, 5, 1.0, mode), (x,))
    assert torch.autograd.gradgradcheck(lambda y: gaussian_filter(y, 5, 1.0, mode), (x,))
