"""DISTS against the authors' package and against its equations as printed."""

import numpy as np
import pytest
import torch

from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model


def test_equals_the_golden_scores(deviations, loaded):
    """Scores agree with dists-pytorch, without resizing."""
    errors = deviations(loaded("dists"), "dists")
    assert max(errors.values()) <= 1, errors


@pytest.mark.parametrize(
    ("oracle", "dtype", "tolerance"), [("dists", torch.float32, 2e-3), ("dists_f64", torch.float64, 1e-5)]
)
@pytest.mark.parametrize("pair", ["I03", "own_jpeg"])
def test_gradient_equals_the_package(shared, pair, oracle, dtype, tolerance):
    """The gradient agrees with dists-pytorch's, more closely in float64 where theirs does not cancel."""
    model = load_model("dists", weights=shared / "weights").to(dtype)
    arrays = np.load(shared / "oracles" / "gradients.npz")
    ref, dist = (
        torch.from_numpy(arrays[f"{pair}.{name}"].transpose(2, 0, 1) / 255.0)[None].to(dtype)
        for name in ("ref_u8", "dist_u8")
    )
    score = model(ref, dist.requires_grad_())
    (gradient,) = torch.autograd.grad(score.sum(), dist)
    wanted = arrays[f"{pair}.{oracle}.grad"]
    assert score.item() == pytest.approx(float(arrays[f"{pair}.{oracle}.score"]), abs=5e-5)
    assert np.linalg.norm(gradient[0].numpy() - wanted) / np.linalg.norm(wanted) < tolerance


def test_equals_the_printed_equations(random_pairs):
    """The form without cancellation is equations 5 to 7 of the paper."""
    model = load_model("dists", weights="random").double()
    ref, dist = (image.double() for image in random_pairs(2, 32, 40))
    alpha, beta = model.similarity["alpha"], model.similarity["beta"]
    similarity = torch.zeros(2, dtype=torch.float64)
    start = 0
    for x, y in zip([ref, *model.trunk(ref)], [dist, *model.trunk(dist)], strict=True):
        end = start + x.shape[1]
        mx, my = x.mean((2, 3)), y.mean((2, 3))
        vx, vy = x.var((2, 3), correction=0), y.var((2, 3), correction=0)
        covariance = (x * y).mean((2, 3)) - mx * my
        texture = (2 * mx * my + 1e-6) / (mx**2 + my**2 + 1e-6)
        structure = (2 * covariance + 1e-6) / (vx + vy + 1e-6)
        similarity += (alpha[start:end] * texture + beta[start:end] * structure).sum(1)
        start = end
    assert start == len(alpha) == 1475
    torch.testing.assert_close(model(ref, dist), 1 - similarity / (alpha.sum() + beta.sum()), atol=1e-9, rtol=0)


def test_of_identical_images_is_zero_with_a_finite_gradient():
    """Exactly 0, never slightly negative, for textured and for flat images; no gradient is NaN."""
    model = load_model("dists", weights="random")
    generator = torch.Generator().manual_seed(0)
    ref = torch.stack((torch.rand(3, 32, 32, generator=generator), torch.zeros(3, 32, 32), torch.ones(3, 32, 32)))
    dist = ref.clone().requires_grad_()
    scores = model(ref, dist)
    (gradient,) = torch.autograd.grad(scores.sum(), dist)
    assert scores.tolist() == [0, 0, 0]
    assert gradient.isfinite().all()


def test_references_go_through_the_trunk_once(random_pairs):
    """prepare() keeps the reference's features: comparing 5 times costs 5 trunk passes, not 10."""
    model = load_model("dists", weights="random")
    passes = []
    model.trunk.register_forward_hook(lambda _module, inputs, _output: passes.append(len(inputs[0])))
    ref, dist = random_pairs(2, 24, 24)
    reference = model.prepare(ref)
    scores = [model.compare(reference, dist) for _ in range(5)]
    assert passes == [2] * 6
    assert torch.equal(scores[0], model(ref, dist))


def test_a_sample_does_not_depend_on_its_batch(random_pairs):
    """A batch, its samples one by one, and a selection of prepared references agree; sizes may be odd."""
    model = load_model("dists", weights="random")
    ref, dist = random_pairs(3, 33, 21)
    batch = model(ref, dist)
    single = torch.cat([model(ref[i : i + 1], dist[i : i + 1]) for i in range(3)])
    index = torch.tensor([1, 1, 2])
    chosen = model.compare(model.prepare(ref).select(index), dist[index])
    torch.testing.assert_close(batch, single, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(chosen, batch[index], rtol=1e-5, atol=1e-7)


def test_stays_in_its_declared_range_and_refuses_small_images(loaded, random_pairs):
    """A distance of at most 2, larger for the negative of an image than for a noisy copy."""
    model = loaded("dists")
    ref, dist = random_pairs(1, 16, 16)
    near, far = (float(model(ref, other)) for other in (dist, 1 - ref))
    low, high = model.info.score_range
    assert model.info.lower_better
    assert low < near < far <= high
    with pytest.raises(InvalidInput, match="minimum of 16"):
        model(*random_pairs(1, 15, 40))
