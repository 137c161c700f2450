"""Feature maps one by one: against independent implementations, at odd sizes, on flat images, with their half kept."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.feature import local_binary_pattern
from skimage.filters import gabor
from skimage.filters.rank import entropy as rank_entropy

from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model, model_info
from robustiqa.models.birqa.features import FEATURES
from robustiqa.models.birqa.features.edges import squared_slope
from robustiqa.models.birqa.features.gabor import FREQUENCY, energies
from robustiqa.models.birqa.features.half import Half, luma
from robustiqa.models.birqa.features.pixels import to_rgb, to_ycbcr
from robustiqa.models.birqa.features.saliency import spectral_residual
from robustiqa.models.birqa.features.texture import local_entropy, patterns
from robustiqa.models.birqa.features.wavelet import ROOT, coefficients, decouple
from robustiqa.models.birqa.model import BiRQANetwork, Settings

NAMES = sorted(FEATURES)


def noise(*shape, seed=0):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def picture(height=48, width=56):
    """A smooth random image [1, 3, H, W]."""
    small = noise(1, 3, 8, 8, seed=5)
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def compare(name, ref, dist):
    """The map of ``name`` for two RGB images."""
    halves = (Half.of(to_ycbcr(x), "smooth", ()) for x in (ref, dist))
    return FEATURES[name].compute(*halves)


def tiny(name):
    return BiRQANetwork(Settings(features=name, width=8, levels=4), model_info("birqa"))


@pytest.mark.parametrize("name", NAMES)
def test_each_feature_alone_makes_a_model_that_learns(name):
    """At every level of odd sizes: finite scores, and gradients that reach every preprocessing and the image."""
    model = tiny(name)
    for height, width in ((67, 123), (33, 47)):
        ref, clean = (noise(2, 3, height, width, seed=s).float() for s in (0, 1))
        dist = clean.requires_grad_()
        maps = model.maps(model.prepare(ref), dist)
        sizes = [tuple(level[0].shape) for level in maps]
        assert sizes == [(2, FEATURES[name].channels, -(-height // 2**i), -(-width // 2**i)) for i in range(4)]
        model.zero_grad()
        scores = model(ref, dist)
        scores.sum().backward()
        assert scores.isfinite().all()
        assert dist.grad.isfinite().all()
        assert dist.grad.abs().sum() > 0
        assert all(level.preprocess[0][0].weight.grad.isfinite().all() for level in model.network.fusion)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_images_have_finite_gradients(name, level):
    """Against themselves and against noise, also where both are black."""
    flat = torch.full((1, 3, 33, 40), level)
    for ref, dist in ((flat, flat), (flat, noise(1, 3, 33, 40).float()), (noise(1, 3, 33, 40).float(), flat)):
        x = dist.clone().requires_grad_()
        model = tiny(name)
        model(ref, x).sum().backward()
        assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_scored_is_what_is_differentiated(name):
    """A directional derivative equals finite differences, in double precision."""
    ref, dist = picture(), (picture() + 0.1 * (noise(1, 3, 48, 56) - 0.5)).clamp(0.05, 0.95)
    weights = noise(1, FEATURES[name].channels, 48, 56, seed=2)
    direction = noise(*dist.shape, seed=3) - 0.5
    x = dist.clone().requires_grad_()
    (slope,) = torch.autograd.grad((compare(name, ref, x) * weights).sum(), x)
    h = 1e-7
    plus, minus = ((compare(name, ref, dist + s * h * direction) * weights).sum() for s in (1, -1))
    assert (slope * direction).sum().item() == pytest.approx(((plus - minus) / (2 * h)).item(), rel=2e-3, abs=1e-4)


class Kept(Half):
    """A half that computes nothing; luma of a kept image is only a view."""

    def __getitem__(self, part):
        assert part in self._parts or part is luma, part.__name__
        return super().__getitem__(part)


@pytest.mark.parametrize("name", NAMES)
def test_the_references_half_is_kept_and_not_computed_again(name):
    """What a feature keeps of the reference suffices, and nothing else of it is asked for."""
    ref, dist = (to_ycbcr(noise(2, 3, 40, 40, seed=s)) for s in (0, 1))
    feature = FEATURES[name]
    whole = Half.of(ref, "smooth", feature.keeps)
    kept = Kept({part: whole[part] for part in feature.keeps}, "smooth")
    both = [feature.compute(half, Half.of(dist, "smooth", ())) for half in (whole, kept)]
    assert torch.equal(*both)


def test_the_default_keeps_five_parts_and_color_alone_one():
    """Unused features cost the reference nothing."""
    ref = noise(1, 3, 40, 40).float()
    assert len(load_model("birqa", weights="random").prepare(ref).features) == 4 * 5
    assert len(load_model("birqa:features=color", weights="random").prepare(ref).features) == 4


def test_a_feature_that_keeps_too_little_is_found_out():
    """A reference's half without its image says what is missing."""
    with pytest.raises(LookupError, match="keeps"):
        Half({}, "smooth")[luma]


def test_a_feature_named_twice_is_refused():
    """It would only cost time."""
    with pytest.raises(InvalidInput, match="twice"):
        Settings(features="ssim+lbp+ssim")


def test_rgb_comes_back_from_ycbcr():
    """Raw pixels are those of the image."""
    image = noise(1, 3, 9, 9)
    assert torch.allclose(to_rgb(to_ycbcr(image)), image, atol=2e-5)
    both = compare("raw", image, 1 - image)
    assert torch.allclose(both, torch.cat((image, 1 - image), 1), atol=2e-5)


def test_gabor_energy_is_that_of_scikit_image():
    """Four orientations, inside; scikit-image's kernels, which it convolves with, are the independent ones."""
    y = noise(1, 1, 40, 44)
    mine = energies(y)[0, :, 12:-12, 12:-12].numpy()
    for i in range(4):
        real, imaginary = gabor(y[0, 0].numpy(), FREQUENCY, theta=i * math.pi / 4, n_stds=5)
        theirs = (real**2 + imaginary**2)[12:-12, 12:-12]
        fits = [np.abs(mine[j] - theirs).max() / theirs.max() for j in range(4)]
        assert min(fits) == fits[i] < 0.02
        assert sorted(fits)[1] > 0.2


def test_entropy_is_that_of_scikit_image_where_grey_levels_lie_on_bins():
    """Windows of 9 x 9, base 2, inside."""
    levels = (noise(1, 1, 30, 30) ** 2 * 15.99).floor()
    theirs = rank_entropy(levels[0, 0].numpy().astype(np.uint8), np.ones((9, 9)))
    mine = local_entropy(levels / 15)[0, 0].numpy()
    assert mine[4:-4, 4:-4] == pytest.approx(theirs[4:-4, 4:-4], abs=1e-3)
    assert theirs[4:-4, 4:-4].std() > 0.05


def test_bits_are_those_of_scikit_images_pattern():
    """Hard, at the two places that both look at."""
    y = noise(1, 1, 20, 20)
    codes = local_binary_pattern((y[0, 0].numpy() * 1e6).astype(int), 8, 1, method="default").astype(int)
    half = Half({luma: y}, "hard")
    bits = half[patterns][0].numpy() > 0.5
    for bit, place in ((bits[0], 0), (bits[1], 6)):  # right and below; the diagonals are interpolated there
        assert np.array_equal((codes >> place & 1)[1:-1, 1:-1], bit[1:-1, 1:-1])


def test_slope_is_scipys_gaussian_gradient():
    """Derivatives of a Gaussian with replicated borders."""
    y = noise(1, 1, 25, 31)
    theirs = ndimage.gaussian_gradient_magnitude(y[0, 0].numpy(), 1.0, mode="nearest") ** 2
    assert squared_slope(y)[0, 0].numpy() == pytest.approx(theirs, rel=1e-4, abs=1e-9)


def test_wavelets_are_daubechies_of_two_vanishing_moments():
    """Against scipy with the published taps; ramps have no detail, which Haar's would have."""
    y = noise(1, 1, 20, 24)
    low = np.array([1 + ROOT, 3 + ROOT, 3 - ROOT, 1 - ROOT]) / 8
    high = np.array([low[3], -low[2], low[1], -low[0]])
    one = ndimage.correlate1d
    for i, (rows, columns) in enumerate(((high, low), (low, high), (high, high))):
        theirs = one(one(y[0, 0].numpy(), rows, axis=1, origin=-1), columns, axis=0, origin=-1)
        assert coefficients(y)[0, i].numpy()[2:-2, 2:-2] == pytest.approx(theirs[2:-2, 2:-2], abs=1e-12)
    ramp = (torch.arange(20.0)[:, None] * 2 + torch.arange(20.0) * 3)[None, None].double()
    assert coefficients(ramp)[..., 3:-3, 3:-3].abs().max() < 1e-12
    assert float((low**2).sum()) == pytest.approx(0.5)
    assert float((low[:2] * low[2:]).sum()) == pytest.approx(0)  # orthogonal to its own shift by two


def test_detail_is_split_as_in_the_paper():
    """Where the angle changed by much the kept part is clip(D / O, 0, 1) O; lowered and raised contrast are kept whole."""
    original, distorted = (noise(1, 3, 16, 16, seed=s) - 0.5 for s in (0, 1))
    kept, added = decouple(original, distorted)
    o, d = original[0].numpy(), distorted[0].numpy()
    angle = np.degrees(np.abs(np.angle((d[0] + 1j * d[1]) / (o[0] + 1j * o[1]))))
    expected = np.clip(d / o, 0, 1) * o
    apart = angle > 45
    assert apart.sum() > 100
    assert kept[0].numpy()[:, apart] == pytest.approx(expected[:, apart], abs=1e-3)
    assert torch.allclose(kept + added, distorted)
    for contrast in (0.5, 1.0, 2.0):
        kept, added = decouple(original, contrast * original)
        assert torch.allclose(kept, contrast * original, atol=1e-4)
        assert added.abs().max() < 1e-4


def test_detail_loss_tells_blur_from_noise():
    """Equal images lose and add nothing; blur loses, noise adds."""
    ref = (picture() + 0.2 * (noise(1, 3, 48, 56) - 0.5)).clamp(0, 1)
    blurred = torch.nn.functional.avg_pool2d(ref, 5, 1, 2, count_include_pad=False)
    noisy = ref + 0.2 * (noise(1, 3, 48, 56, seed=9) - 0.5)
    same, lost, gained = (compare("dlm", ref, dist)[0].mean((1, 2)) for dist in (ref, blurred, noisy))
    assert torch.allclose(same, torch.zeros(2, dtype=same.dtype), atol=1e-3)
    assert lost[0] < -1
    assert gained[1] > 0.2 > lost[1]


def test_vif_is_the_formula_written_down_anew():
    """Sheikh and Bovik's pixel-domain VIF with scipy's Gaussian; 1 for equal images, above 1 for raised contrast."""
    ref, dist = picture(), (picture() + 0.1 * (noise(1, 3, 48, 56) - 0.5)).clamp(0, 1)
    r, d = (to_ycbcr(x)[0, 0].numpy() for x in (ref, dist))

    def blur(x):
        return ndimage.gaussian_filter(x, 1.5, mode="nearest", radius=5)

    vr, vd = (blur(x * x) - blur(x) ** 2 for x in (r, d))
    cov = np.maximum(blur(r * d) - blur(r) * blur(d), 0)
    gain = cov / (vr + 1e-12)
    told = np.log2(1 + gain**2 * vr / (np.maximum(vd - gain * cov, 0) + 2 / 255**2))
    held = np.log2(1 + vr * 255**2 / 2)
    mine = compare("vif", ref, dist)[0].numpy()
    assert mine[1] == pytest.approx(held / 8, abs=1e-6)
    assert mine[0] == pytest.approx((told + 0.1) / (held + 0.1), abs=5e-3)
    assert compare("vif", ref, ref)[0, 0].mean() == pytest.approx(1, abs=0.02)
    assert compare("vif", ref, 0.5 + 1.3 * (ref - 0.5))[0, 0].mean() > 1.02
    assert mine[0].mean() < 0.95


def test_saliency_is_numpys_spectral_residual_and_sees_the_odd_one_out():
    """The definition with numpy's FFT, and one odd patch among many alike."""
    y = noise(1, 1, 32, 40)
    spectrum = np.fft.fft2(y[0, 0].numpy())
    log = np.log(np.abs(spectrum))
    residual = log - ndimage.uniform_filter(log, 3, mode="wrap")
    map_ = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2 * spectrum.size
    theirs = ndimage.gaussian_filter(map_, 2.5, mode="nearest", radius=5)
    assert spectral_residual(y)[0, 0].numpy() == pytest.approx(theirs, rel=1e-2)
    bars = ((torch.arange(64) // 4) % 2).double().expand(64, 64).clone()
    bars[28:36, 40:48] = bars[28:36, 40:48].T
    place = int(spectral_residual(bars[None, None] * 0.8 + 0.01 * noise(1, 1, 64, 64)).argmax())
    assert abs(place // 64 - 32) < 7
    assert abs(place % 64 - 44) < 7


def test_edges_and_entropy_fall_under_blur():
    """The signed channel says which image has more."""
    ref = noise(1, 3, 48, 48)
    blurred = torch.nn.functional.avg_pool2d(ref, 5, 1, 2, count_include_pad=False)
    for name in ("edge", "entropy", "gabor"):
        assert compare(name, ref, blurred)[:, -1].mean() < 0
        assert compare(name, blurred, ref)[:, -1].mean() > 0
