"""LPIPS against the authors' package, and what the authors' package gets wrong."""

import numpy as np
import pytest
import torch

from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model
from robustiqa.models.backbones import ALEXNET, SQUEEZENET, VGG16
from robustiqa.models.lpips_distance import unit_normalised

NETWORKS = ["alex", "vgg", "squeeze"]
BACKBONES = {"alex": ALEXNET, "vgg": VGG16, "squeeze": SQUEEZENET}


@pytest.mark.parametrize("network", NETWORKS)
def test_equals_the_golden_scores(deviations, loaded, network):
    """Scores agree with the lpips package on photographs, examples of the authors and identical pairs."""
    errors = deviations(loaded(f"lpips-{network}"), f"lpips_{network}")
    assert max(errors.values()) <= 1, errors


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("pair", ["I03", "own_jpeg"])
def test_gradient_equals_the_package(shared, loaded, network, pair):
    """The gradient agrees with the lpips package's.

    Max-pooling has no gradient at a tie, and rounding decides near ones: VGG16's own float32 and float64 gradients
    differ by 1%. AlexNet meets no such tie on these images.
    """
    oracle = np.load(shared / "oracles" / "gradients.npz")
    ref, dist = (
        torch.from_numpy(oracle[f"{pair}.{name}"].transpose(2, 0, 1) / np.float32(255))[None]
        for name in ("ref_u8", "dist_u8")
    )
    score = loaded(f"lpips-{network}")(ref, dist.requires_grad_())
    (gradient,) = torch.autograd.grad(score.sum(), dist)
    wanted = oracle[f"{pair}.lpips_{network}.grad"]
    assert np.isfinite(wanted).all()
    assert score.item() == pytest.approx(float(oracle[f"{pair}.lpips_{network}.score"]), abs=5e-5)
    error = np.linalg.norm(gradient[0].numpy() - wanted) / np.linalg.norm(wanted)
    assert error < (1e-5 if network == "alex" else 2.5e-2)


def test_unit_normalisation_has_a_finite_gradient_at_zero_features():
    """Where the published formula's gradient is NaN this one is finite; elsewhere both are the same."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 4, 3, 3, generator=generator)
    features[..., 0] = 0
    weight = torch.rand(1, 4, 3, 3, generator=generator)

    def published(x):
        return x / (torch.sqrt((x**2).sum(1, keepdim=True)) + 1e-10)

    results = []
    for normalise in (unit_normalised, published):
        x = features.clone().requires_grad_()
        value = normalise(x)
        results.append((value.detach(), torch.autograd.grad((value * weight).sum(), x)[0]))
    (ours, gradient), (theirs, their_gradient) = results
    assert their_gradient[..., 0].isnan().all()
    assert gradient.isfinite().all()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient[..., 1:], their_gradient[..., 1:])


def switch_off(model, flat):
    """Lower the biases before the first tap until ``flat`` excites no channel there."""
    layers = model.trunk.features[: model.trunk.taps[0]]
    layers[-1].bias -= layers((flat - model.trunk.mean) / model.trunk.deviation).amax((0, 2, 3)) + 1e-3


@pytest.mark.parametrize("network", NETWORKS)
def test_gradient_is_finite_where_all_channels_are_off(network, random_pairs):
    """Positions without any feature do no harm at and beside dist = ref."""
    model = load_model(f"lpips-{network}", weights="random")
    ref, dist = random_pairs(2, 48, 48)
    switch_off(model, torch.full_like(ref[:1], 0.45))
    ref[:, :, :, :24] = dist[:, :, :, :24] = 0.45
    dist[0] = ref[0]
    first = model.prepare(ref).features[0]
    assert (first == 0).all(1).any(), "the test needs a position without features"
    assert (first > 0).any(), "and one with"
    x = dist.requires_grad_()
    (gradient,) = torch.autograd.grad(model(ref, x).sum(), x)
    assert gradient.isfinite().all()
    assert float(gradient[0].abs().max()) == 0
    assert float(gradient[1].abs().max()) > 0


@pytest.mark.parametrize("network", NETWORKS)
def test_references_go_through_the_trunk_once(network, random_pairs):
    """prepare() keeps the reference's features: comparing 5 times costs 5 trunk passes, not 10."""
    model = load_model(f"lpips-{network}", weights="random")
    passes = []
    model.trunk.register_forward_hook(lambda _module, inputs, _output: passes.append(len(inputs[0])))
    ref, dist = random_pairs(2, 40, 40)
    reference = model.prepare(ref)
    scores = [model.compare(reference, dist) for _ in range(5)]
    assert passes == [2] * 6
    assert torch.equal(scores[0], model(ref, dist))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_sample_does_not_depend_on_its_batch(network, random_pairs):
    """A batch, its samples one by one, and a selection of prepared references agree up to conv rounding."""
    model = load_model(f"lpips-{network}", weights="random")
    ref, dist = random_pairs(3, 45, 37)
    batch = model(ref, dist)
    single = torch.cat([model(ref[i : i + 1], dist[i : i + 1]) for i in range(3)])
    index = torch.tensor([2, 0, 2])
    chosen = model.compare(model.prepare(ref).select(index), dist[index])
    torch.testing.assert_close(batch, single, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(chosen, batch[index], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("network", NETWORKS)
def test_minimum_size_is_the_smallest_that_the_trunk_can_see(network, random_pairs):
    """The declared minimum is scored, one pixel less breaks the bare trunk and is refused in words."""
    model = load_model(f"lpips-{network}", weights="random")
    smallest = model.info.min_size
    assert model(*random_pairs(1, smallest, smallest + 1)).isfinite().all()
    ref, dist = random_pairs(1, smallest - 1, 64)
    with pytest.raises(RuntimeError):
        model.trunk(ref)
    with pytest.raises(InvalidInput, match=f"minimum of {smallest}"):
        model(ref, dist)


def test_is_a_distance(loaded, golden):
    """Lower is better: identical is 0, and more of the same distortion is farther."""
    model = loaded("lpips-alex")
    row = next(row for row in golden("lpips_alex") if row.pair == "own_blur")
    half = (row.ref + row.dist) / 2
    same, near, far = model(row.ref.repeat(3, 1, 1, 1), torch.cat((row.ref, half, row.dist))).tolist()
    assert model.info.lower_better
    assert same == 0 < near < far


@pytest.mark.parametrize("network", NETWORKS)
def test_declares_the_channels_of_its_taps(network):
    """The widths given to the heads are those of the trunk's outputs, all of them after a ReLU."""
    model = load_model(f"lpips-{network}", weights="random")
    outputs = model.trunk(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert tuple(output.shape[1] for output in outputs) == BACKBONES[network].channels
    assert all(bool((output >= 0).all()) for output in outputs)
