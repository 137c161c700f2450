"""Contrast of texts and charts, and colours that colour-blind readers can separate."""

import itertools
import re
from importlib.resources import files

import numpy as np
import pytest

from robustiqa.reports.html.styles import COLOURS

TEXTS = [
    ("ink", "paper"), ("ink", "card"), ("ink", "wash"), ("soft", "paper"), ("soft", "card"), ("soft", "wash"), ("link", "paper"),
    ("link", "card"), ("link", "wash"), ("warn", "warn-wash"), ("ink", "warn-wash"), ("soft", "warn-wash"),
]  # fmt: skip
# Machado, Oliveira & Fernandes 2009, severity 1, linear RGB.
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopes": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopes": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopes": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


@pytest.fixture(params=["light", "dark"])
def palette(request):
    text = files("robustiqa.reports.html").joinpath(f"templates/{request.param}.css").read_text(encoding="utf-8")
    return {name: linear(colour) for name, colour in re.findall(r"--([\w-]+): #([0-9a-f]{6})", text)}


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2's ratio."""
    low, high = sorted(float(c @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb):
    return TO_LAB @ np.cbrt(np.clip(TO_LMS @ rgb, 0, None))


@pytest.mark.parametrize("pair", TEXTS, ids="-on-".join)
def test_texts_can_be_read(palette, pair):
    """WCAG AA asks for 4.5."""
    assert contrast(*(palette[name] for name in pair)) >= 4.5


def test_numbers_of_the_heat_map_can_be_read_on_every_shade(palette):
    """And shades go one way in lightness, so that grey tells the same."""
    shades = [palette[f"s{i}"] for i in range(9)]
    assert all(contrast(s, palette["s-light" if i < 5 else "s-dark"]) >= 4.5 for i, s in enumerate(shades))
    lightness = [oklab(s)[0] for s in shades]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))


def test_series_and_focus_stand_out_from_the_paper(palette):
    """WCAG asks for 3 of graphics."""
    for name in ("focus", "axis", *(f"c{i}" for i in range(COLOURS))):
        assert min(contrast(palette[name], palette[ground]) for ground in ("card", "paper")) >= 3


@pytest.mark.parametrize("reader", SEEN_BY)
def test_series_can_be_told_apart_by(palette, reader):
    """No two colours are closer than 0.07 in OKLab, a few times what can just be told."""
    seen = [oklab(SEEN_BY[reader] @ palette[f"c{i}"]) for i in range(COLOURS)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.07
