"""The distance's own backward pass against autograd's of the published formula."""

import pytest
import torch

from robustiqa.models.dists import _against, _moments
from robustiqa.models.lpips_distance import unit_normalised, weighted_distance


def published(ref, features, head):
    """Equation 1, term by term."""
    return (((ref - unit_normalised(features)) ** 2).mean((2, 3)) * head).sum(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lpips_and_all_its_gradients_are_the_published_formulas(dtype):
    """Of reference, features and head, where positions are all zero and where both images are equal too."""
    generator = torch.Generator().manual_seed(0)
    ref, own = (torch.randn(2, 5, 7, 6, generator=generator, dtype=dtype).relu() for _ in range(2))
    own[:, :, :2] = 0
    own[0, :, 3] = ref[0, :, 3]
    unit = unit_normalised(ref)
    head, slopes = torch.rand(5, generator=generator, dtype=dtype) - 0.2, torch.tensor([1.0, -3.0], dtype=dtype)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-11
    results = []
    for distance in (lambda *of: weighted_distance([of[0]], [of[1]], [of[2]]), published):
        leaves = [one.clone().requires_grad_() for one in (unit, own, head)]
        value = distance(*leaves)
        results.append((value, *torch.autograd.grad(value, leaves, slopes)))
    mask = own.any(1, keepdim=True)  # elsewhere the gradient is 1e10 times the head's, and a ReLU stops it
    masked = [[one * mask if one.shape == own.shape else one for one in each] for each in results]
    for ours, theirs in zip(*masked, strict=True):
        assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.abs().max()))


@pytest.mark.parametrize("same", [False, True])
def test_dists_and_its_gradients_are_autograds(same):
    """Means, variances and gaps, with their gradients, also of equal images."""
    generator = torch.Generator().manual_seed(0)
    ref, own = (torch.randn(2, 3, 6, 5, generator=generator, dtype=torch.float64) + 2 for _ in range(2))
    centred = _moments(own if same else ref).centred
    slopes = [torch.randn(2, 3, generator=generator, dtype=torch.float64) for _ in range(3)]

    def plain(centred, features):
        layer = _moments(features)
        return layer.mean, layer.variance, ((centred - layer.centred) ** 2).mean((2, 3))

    results = []
    for function in (_against, plain):
        leaves = [centred.clone().requires_grad_(), own.clone().requires_grad_()]
        values = function(*leaves)
        results.append((*values, *torch.autograd.grad(values, leaves, slopes)))
    for ours, theirs in zip(*results, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-12)
