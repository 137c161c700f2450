"""The metrics through piq: golden scores, gradients where piq's own are NaN, no mixing of samples, honest limits."""

import piq
import pytest
import torch

from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model, model_info

GOLDEN = {
    "ms-ssim": "ms_ssim_y.piq",
    "ms-ssim:channels=rgb": "ms_ssim_rgb.piq",
    "vif": "vif_pixel_y.piq",
    "fsim": "fsimc.piq",
    "fsim:chromatic=false": "fsim.piq",
    "vsi": "vsi.piq",
    "gmsd": "gmsd.piq",
    "mdsi": "mdsi.piq",
    "haarpsi": "haarpsi.piq",
    "sr-sim": "srsimc.piq",
    "sr-sim:chromatic=false": "srsim.piq",
}
NAMES = [name for name in GOLDEN if ":" not in name]


def pair(random_pairs, name, count=1):
    """Random images as small as serves the model."""
    side = max(24, model_info(name).min_size)
    return random_pairs(count, side, side + 3)


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_golden_scores(deviations, name):
    """The variant that each name means agrees with the published table."""
    errors = deviations(load_model(name), GOLDEN[name])
    assert max(errors.values()) <= 1, errors


@pytest.mark.parametrize("name", NAMES)
def test_samples_do_not_mix(random_pairs, name):
    """Bit for bit: a batch of three is three batches of one, also where the contrasts differ much."""
    ref, dist = pair(random_pairs, name, 3)
    ref, dist = ref * torch.tensor([1, 0.3, 0.05])[:, None, None, None], dist * torch.tensor([1, 0.3, 0.05])[:, None, None, None]
    model = load_model(name)
    assert torch.equal(model(ref, dist), torch.cat([model(ref[[i]], dist[[i]]) for i in range(3)]))


def test_piq_itself_mixes_samples_in_sr_sim(random_pairs):
    """Why one sample goes at a time: the test above can fail."""
    ref, dist = pair(random_pairs, "sr-sim", 2)
    ref, dist = ref * torch.tensor([1, 0.05])[:, None, None, None], dist * torch.tensor([1, 0.05])[:, None, None, None]
    assert (piq.srsim(dist, ref, reduction="none")[1] - piq.srsim(dist[1:], ref[1:], reduction="none")[0]).abs() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_gradient_survives_flat_and_black_patches(random_pairs, name):
    """Finite everywhere and not zero, where half of both images is black and a part white; at identity as well."""
    ref, dist = pair(random_pairs, name)
    half = ref.shape[-1] // 2
    for image in (ref, dist):
        image[..., :half], image[..., -5:] = 0, 1
    model = load_model(name)
    for own in (dist, ref.clone()):
        x = own.requires_grad_()
        (gradient,) = torch.autograd.grad(model(ref, x).sum(), x)
        assert gradient.isfinite().all()
        assert own is not dist or gradient.abs().max() > 0


@pytest.mark.parametrize(("name", "function"), [("gmsd", piq.gmsd), ("mdsi", piq.mdsi), ("vsi", piq.vsi)])
def test_gradient_is_piqs_own_where_that_is_finite(random_pairs, name, function):
    """Lending zero at zero changes nothing elsewhere."""
    ref, dist = random_pairs(1, 24, 30)
    x, y = dist.clone().requires_grad_(), dist.double().requires_grad_()
    (own,) = torch.autograd.grad(load_model(name)(ref, x).sum(), x)
    (theirs,) = torch.autograd.grad(function(y, ref.double(), reduction="none").sum(), y)
    assert theirs.isfinite().all()
    torch.testing.assert_close(own.double(), theirs, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_minimum_size_is_scored_and_one_pixel_less_refused(random_pairs, name):
    """Below it piq raises, divides by zero, or has a constant score."""
    model = load_model(name)
    side = model.info.min_size
    ref, dist = random_pairs(1, side, side)
    x = dist.requires_grad_()
    score = model(ref, x)
    assert score.isfinite().all()
    assert torch.autograd.grad(score.sum(), x)[0].abs().max() > 0
    with pytest.raises(InvalidInput, match=f"minimum of {side}"):
        model(*random_pairs(1, side - 1, side))


def test_parameters_are_spelled_in_the_name_and_weights_refused():
    """What a table shows can be typed again."""
    assert load_model("fsim:chromatic=false").info.name == "fsim:chromatic=false"
    assert load_model("fsim:chromatic=true").info.name == "fsim"
    with pytest.raises(InvalidInput, match="not one of y, rgb"):
        load_model("ms-ssim:channels=lab")
    with pytest.raises(InvalidInput, match="takes none"):
        load_model("vif", weights="random")
