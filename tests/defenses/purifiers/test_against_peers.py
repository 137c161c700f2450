"""Single purifiers against independent implementations and known figures."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage.restoration import denoise_tv_chambolle

from robustiqa.core.images import to_rgb, to_tensor
from robustiqa.datasets.demo import load_demo
from robustiqa.defenses import load_defense
from robustiqa.defenses.purifiers.diffpure import noise_level, signal_share
from robustiqa.defenses.purifiers.soft_jpeg import soft_jpeg, soft_round
from robustiqa.models.psnr import psnr


@pytest.fixture(scope="module")
def photograph():
    """A photograph of the demo set [1, 3, 96, 128] on the 8-bit grid."""
    demo = load_demo()
    ref, _ = demo.images(demo.pairs[0])
    return ref[None, :, 100:196, 120:248]


def numpy(x):
    return x[0].double().numpy()


def test_gaussian_is_scipys(photograph):
    """Borders replicated, cut at three deviations."""
    expected = [ndimage.gaussian_filter(c, 0.8, mode="nearest", radius=3) for c in numpy(photograph)]
    assert np.allclose(numpy(load_defense("gaussian").purify(photograph, [])), expected, atol=1e-5)


def test_median_is_scipys(photograph):
    """Windows of five, borders replicated."""
    expected = [ndimage.median_filter(c, 5, mode="nearest") for c in numpy(photograph)]
    assert np.allclose(numpy(load_defense("median:size=5").purify(photograph, [])), expected, atol=1e-7)


def test_tv_is_chambolles_of_scikit_image(photograph):
    """The same projections of the same channel; scikit-image does not use its last one."""
    purified = numpy(load_defense("tv:weight=0.1,steps=25").purify(photograph, []))
    expected = [denoise_tv_chambolle(c, weight=0.1, eps=0, max_num_iter=26) for c in numpy(photograph)]
    assert np.allclose(purified, np.clip(expected, 0, 1), atol=1e-5)


def test_bilateral_is_the_weighted_mean_of_the_window(photograph):
    """Pixel by pixel as Tomasi and Manduchi define it, colour distance over the three channels."""
    x = photograph[..., :9, :11]
    purified = numpy(load_defense("bilateral").purify(x, []))
    image = np.pad(numpy(x), ((0, 0), (2, 2), (2, 2)), mode="edge")
    for row, column in ((0, 0), (4, 5), (8, 10)):
        window = image[:, row : row + 5, column : column + 5]
        i, j = np.mgrid[-2:3, -2:3]
        colour = ((window - image[:, row + 2, column + 2][:, None, None]) ** 2).sum(0)
        weight = np.exp(-(i**2 + j**2) / (2 * 1.5**2)) * np.exp(-colour / (2 * 0.1**2))
        assert np.allclose(purified[:, row, column], (window * weight).sum((1, 2)) / weight.sum(), atol=1e-6)


def test_bit_depth_leaves_so_many_levels(photograph):
    """Three bits: multiples of 1/7, each the nearest."""
    purified = load_defense("bit-depth:bits=3").purify(photograph, [])
    assert torch.equal(purified, (photograph * 7).round() / 7)


def test_jpeg_is_libjpegs(photograph):
    """What Pillow writes and reads at that quality."""
    buffer = io.BytesIO()
    Image.fromarray(to_rgb(photograph[0])).save(buffer, "JPEG", quality=30, subsampling="4:2:0")
    expected = to_tensor(np.asarray(Image.open(buffer)))
    assert torch.equal(load_defense("jpeg:quality=30").purify(photograph, [])[0], expected)


@pytest.mark.parametrize("quality", [15, 50, 90])
def test_soft_jpeg_is_near_the_real_one(photograph, quality):
    """Far nearer to it than the picture is: the gradient that it lends belongs to the same loss of detail."""
    exact = load_defense(f"jpeg:quality={quality}").purify(photograph, [])
    soft = soft_jpeg(photograph, quality)
    assert psnr(exact, soft) > psnr(exact, photograph) + 1
    assert soft.shape == photograph.shape


def test_soft_round_is_exact_at_integers_and_off_by_an_eighth_at_halves():
    """round(x) + (x - round(x))³."""
    assert soft_round(torch.tensor([-2.0, 0.0, 3.0, 0.25])).tolist() == [-2, 0, 3, 0.25**3]


def test_rotation_turns_about_the_centre(photograph):
    """By the angle that its generator draws, as scipy turns it; a rectangle is not sheared."""
    purified = numpy(load_defense("rotate:degrees=20").purify(photograph, [torch.Generator().manual_seed(3)]))
    angle = 20 * (2 * float(torch.rand((), generator=torch.Generator().manual_seed(3))) - 1)
    turned = [ndimage.rotate(c, sign * angle, reshape=False, order=1, mode="mirror")
              for c in numpy(photograph) for sign in (1, -1)]  # fmt: skip
    middle = (slice(30, 66), slice(40, 88))
    errors = [np.abs(np.stack(turned[k::2])[:, *middle] - purified[:, *middle]).max() for k in (0, 1)]
    assert min(errors) < 0.02
    assert max(errors) > 0.1


@pytest.mark.parametrize(("text", "sigma"), [("ffdnet:sigma=25/255", 25 / 255), ("dncnn", 25 / 255)])
def test_denoisers_denoise(genuine_weights, photograph, text, sigma):
    """Noise of 25/255 (20.2 dB) is brought to about 30 dB, as their authors report for photographs."""
    generator = torch.Generator().manual_seed(0)
    noisy = photograph + sigma * torch.randn(photograph.shape, generator=generator)
    denoised = load_defense(text).purify(noisy, [])
    assert psnr(photograph, denoised) > psnr(photograph, noisy.clamp(0, 1)) + 7


def test_diffpure_takes_noise_away_and_keeps_the_picture(genuine_weights, photograph):
    """Nearer to the clean picture than the noisy one is, though other noise was added on the way."""
    noisy = (photograph + 0.1 * torch.randn(photograph.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    purified = load_defense("diffpure:t=0.1").purify(noisy, [torch.Generator().manual_seed(1)])
    assert psnr(photograph, purified) > psnr(photograph, noisy) + 3


def test_the_diffusion_schedule_is_the_papers():
    """a(0) = 1, a(1) = exp(-10.05) (section 3 with beta from 0.1 to 20); noise in [0, 1] units is half of [-1, 1]'s."""
    assert signal_share(0) == 1
    assert signal_share(1) == pytest.approx(np.exp(-10.05))
    a = signal_share(0.1)
    assert noise_level(0.1) == pytest.approx(np.sqrt(1 / a - 1) / 2)
