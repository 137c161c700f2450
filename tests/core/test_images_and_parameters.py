"""Reading images and reading texts of the command line."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from robustiqa.core.errors import InvalidInput, UnreadableImage
from robustiqa.core.images import center_crop, check_pair, read_image, read_rgb, to_rgb, to_tensor
from robustiqa.core.parameters import parse_eps, split_named


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_every_common_mode_becomes_rgb(tmp_path, mode):
    """Grey, palette and alpha images are read as sRGB."""
    path = tmp_path / "x.png"
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).convert(mode).save(path)
    assert read_image(path).shape == (3, 3, 4)


def test_formats_outside_the_whitelist_and_bombs_are_refused(tmp_path):
    """A GIF is an image, but not one that a quality dataset holds; the pixel limit is a setting."""
    picture = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    picture.save(tmp_path / "x.gif")
    picture.save(tmp_path / "x.png")
    with pytest.raises(UnreadableImage, match=r"x\.gif"):
        read_rgb(tmp_path / "x.gif")
    with pytest.raises(UnreadableImage, match="limit of 100"):
        read_rgb(tmp_path / "x.png", max_pixels=100)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_decode_nor_crash(tmp_path_factory, data):
    """Whatever is in the file, the error is ours."""
    path = tmp_path_factory.getbasetemp() / "noise.png"
    path.write_bytes(data)
    with pytest.raises(UnreadableImage):
        read_rgb(path)


def test_8bit_round_trip_is_exact():
    """All 256 levels survive the way to a tensor and back."""
    rgb = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, 2)
    assert np.array_equal(to_rgb(to_tensor(rgb)), rgb)


def test_crop_is_central_and_never_larger_than_the_image():
    """The window that there is."""
    image = torch.arange(30.0).view(1, 5, 6)
    assert torch.equal(center_crop(image, 3), image[:, 1:4, 1:4])
    assert torch.equal(center_crop(image, 99), image)
    assert center_crop(image, None) is image


@pytest.mark.parametrize(
    ("ref", "dist", "word"),
    [
        (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 9), "sizes differ"),
        (torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8), "wanted float"),
        (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8) * 255, "255"),
        (torch.rand(1, 3, 8, 8), torch.full((1, 3, 8, 8), torch.nan), "finite"),
        (torch.rand(1, 3, 4, 8), torch.rand(1, 3, 4, 8), "minimum"),
    ],
)
def test_pairs_that_cannot_be_compared_are_refused(ref, dist, word):
    """With what is wrong."""
    with pytest.raises(InvalidInput, match=word):
        check_pair(ref, dist, min_size=8)


@given(st.integers(1, 255))
def test_eps_reads_fractions_and_decimals(k):
    """As people write them."""
    assert parse_eps(f"{k}/255") == k / 255
    assert parse_eps(f" {k / 255!r} ") == pytest.approx(k / 255)


@pytest.mark.parametrize("text", ["0", "-1/255", "2", "8", "x", "1/0", "", "nan", "inf"])
def test_other_eps_are_refused_with_the_text(text):
    """The message repeats what was typed."""
    with pytest.raises(InvalidInput, match="eps"):
        parse_eps(text)


def test_named_things_carry_parameters():
    """name:key=value,key=value; a bare word is the version."""
    assert split_named("jpeg:quality=50,apply_to=both") == ("jpeg", {"quality": "50", "apply_to": "both"})
    assert split_named("autoattack:quick") == ("autoattack", {"version": "quick"})
    with pytest.raises(InvalidInput, match="steps"):
        split_named("pgd:steps=")
