"""Max-pooling as torch's, to the bit."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from robustiqa.models.backbones import VGG16, Trunk
from robustiqa.models.pooling import MaxPool2x2


def both(x, slopes):
    """Output and gradient of ours and of torch's."""
    results = []
    for pool in (MaxPool2x2(), lambda image: F.max_pool2d(image, 2)):
        own = x.clone().requires_grad_()
        out = pool(own)
        results.append((out.detach(), torch.autograd.grad(out, own, slopes)[0]))
    return results


@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 4), st.sampled_from([torch.float32, torch.bfloat16]))
def test_scores_and_gradients_are_torchs(height, width, levels, dtype):
    """Odd sizes, and ties of all kinds: few levels make most pixels equal."""
    generator = torch.Generator().manual_seed(height * 100 + width * 10 + levels)
    x = torch.randint(0, levels, (2, 3, height, width), generator=generator).to(dtype)
    slopes = torch.randn(2, 3, height // 2, width // 2, generator=generator).to(dtype)
    (out, gradient), (theirs, theirs_gradient) = both(x, slopes)
    assert torch.equal(out, theirs)
    assert torch.equal(gradient, theirs_gradient)


def test_its_gradient_can_be_differentiated():
    """Training against a gradient's norm needs that."""
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda image: MaxPool2x2()(image).square(), x)


@pytest.mark.parametrize("size", [32, 37])
def test_vgg_uses_it(size):
    """Every pooling of VGG16 is replaced, with the same features."""
    trunk = Trunk(VGG16)
    assert sum(isinstance(layer, MaxPool2x2) for layer in trunk.features) == 4
    x = torch.rand(1, 3, size, size)
    expected = trunk.normalised(x)
    for layer in trunk.features:
        expected = F.max_pool2d(expected, 2) if isinstance(layer, MaxPool2x2) else layer(expected)
    assert torch.equal(trunk(x)[-1], expected)
