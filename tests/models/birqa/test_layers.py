"""The layers that were written for speed equal the formulas they stand for, forwards and backwards."""

import pytest
import torch
from torch.nn import functional as F

from robustiqa.models.birqa.csram import CSRAM
from robustiqa.models.birqa.fusion import AdaptiveFusion
from robustiqa.models.birqa.pointwise import Pointwise
from robustiqa.models.birqa.pooling import FLOOR, GeM, rectified_mean
from robustiqa.models.birqa.scgb import SCGB


def draw(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_rectified_mean_passes_both_gradients():
    """The gradient of what is above 0 and that of its mean add up; nothing below 0 moves."""
    x = draw(2, 3, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(rectified_mean, (x,))
    rectified, mean = rectified_mean(x)
    assert torch.equal(rectified, F.relu(x))
    assert torch.allclose(mean.flatten(1), rectified.mean((2, 3)))


@pytest.mark.parametrize("p", [1.1, 2.7, 7.5])
def test_gem_is_the_generalised_mean_with_its_gradients(p):
    """Against the formula as autograd differentiates it, in x and in the exponent; nothing below the floor moves."""
    pool = GeM().double()
    pool.p.data.fill_(p)
    x, y = (draw(2, 3, 6, 5).requires_grad_() for _ in range(2))
    weights = draw(2, 3, seed=1)
    (pool(x) * weights).sum().backward()
    exponent = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    plain = (y.clamp_min(FLOOR) ** exponent).mean((2, 3)) ** (1 / exponent)
    (plain * weights).sum().backward()
    assert torch.allclose(pool(x), plain)
    assert torch.allclose(x.grad, y.grad)
    assert torch.allclose(pool.p.grad, exponent.grad)
    assert (x.grad[x < FLOOR] == 0).all()


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_pointwise_is_a_convolution(memory):
    """The same numbers as torch's 1 x 1 convolution, whatever the memory format of the input."""
    layer = Pointwise(4, 6).double()
    x = draw(3, 4, 5, 7).contiguous(memory_format=memory)
    assert torch.allclose(layer(x), F.conv2d(x, layer.weight, layer.bias))
    assert layer(x).is_contiguous(memory_format=torch.channels_last)


def test_fusion_weighs_each_map_by_its_gate():
    """One grouped convolution and gates inside phi's weights equal F_j, alpha_j, phi and SE one after the other."""
    fusion = AdaptiveFusion([2, 3, 1], 5).double()
    maps = [draw(2, count, 6, 7, seed=count).requires_grad_() for count in (2, 3, 1)]
    joint = torch.cat([layer(one) for layer, one in zip(fusion.preprocess, maps, strict=True)], 1)
    fused = fusion.phi(joint * fusion.alpha(joint))
    plain = fused * fusion.excite(fused)
    weights = draw(*plain.shape, seed=9)
    wanted = torch.autograd.grad((plain * weights).sum(), [*maps, *fusion.parameters()])
    found = torch.autograd.grad((fusion(maps) * weights).sum(), [*maps, *fusion.parameters()])
    assert torch.allclose(fusion(maps), plain)
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b)


def test_strength_is_softplus_where_it_is_curved_and_where_it_is_not():
    """Far out in both tails it stays finite, nonnegative, and has the slope of softplus."""
    module = CSRAM(1).double()
    module.strength.weight.data = torch.tensor([1.0, 0.0], dtype=torch.float64).view(1, 2, 1, 1)
    module.strength.bias.data.zero_()
    x = torch.tensor([-200.0, -20, -1, 0, 1, 19, 21, 200], dtype=torch.float64).view(1, 1, 2, 4).requires_grad_()
    strength = module(draw(1, 1, 4, 8), x)[1].strength
    assert torch.allclose(strength, F.softplus(x), atol=1e-12)
    (slope,) = torch.autograd.grad(strength.sum(), x)
    assert torch.allclose(slope, torch.sigmoid(x), atol=1e-8)


def test_scgb_gates_the_finer_level_and_keeps_it():
    """G_fine (1 + sigma(MLP(G_coarse))) and its gradients, as autograd has them."""
    module = SCGB(3).double()
    fine, coarse = draw(2, 3, 5, 7).requires_grad_(), draw(2, 3, 3, 4, seed=1).requires_grad_()
    gate = F.interpolate(module.mlp(coarse), size=(5, 7), mode="bilinear", align_corners=False)
    plain = fine * (1 + gate)
    weights = draw(*plain.shape, seed=9)
    wanted = torch.autograd.grad((plain * weights).sum(), [fine, coarse, *module.parameters()])
    found = torch.autograd.grad((module(fine, coarse) * weights).sum(), [fine, coarse, *module.parameters()])
    assert torch.allclose(module(fine, coarse), plain)
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b)
