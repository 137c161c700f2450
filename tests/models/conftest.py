"""Images, published scores and loaded models for the tests of the models."""

import csv
from functools import cache
from typing import NamedTuple

import pytest
import torch

from robustiqa.core.images import read_image
from robustiqa.models import load_model


class Golden(NamedTuple):
    """A pair of images and the score that an independent implementation gives it."""

    pair: str
    ref: torch.Tensor
    dist: torch.Tensor
    value: float
    tolerance: float


@pytest.fixture(scope="session")
def golden(shared):
    """A function from the name of a metric to its golden pairs."""

    def rows(metric):
        with (shared / "oracles" / "golden_scores.csv").open() as file:
            found = [row for row in csv.DictReader(file) if row["metric"] == metric]
        assert len(found) in {8, 11}  # some metrics cannot score the three pairs of 64 pixels
        return [
            Golden(row["pair"], *_images(shared, row["pair"]), float(row["value"]), float(row["tolerance"]))
            for row in found
        ]

    return rows


@pytest.fixture(scope="session")
def deviations(golden):
    """A function from (model, metric) to each golden pair with its error in units of the tolerance.

    Each reference is prepared once, which also proves that prepared references score several images.
    """

    def compute(model, metric):
        prepared, errors = {}, {}
        for row in golden(metric):
            key = row.pair.removesuffix(":identical").removesuffix("_ref")
            key = "ex" if key.startswith("ex") else key
            with torch.no_grad():
                if key not in prepared:
                    prepared[key] = model.prepare(row.ref)
                score = float(model.compare(prepared[key], row.dist))
            errors[row.pair] = abs(score - row.value) / row.tolerance
        return errors

    return compute


@pytest.fixture(scope="session")
def loaded(shared):
    """A function from a name to that model with its genuine weights."""
    return cache(lambda name: load_model(name, weights=shared / "weights"))


def _images(shared, pair):
    folder = shared / "oracles" / "pairs"
    if pair.endswith(":identical"):
        names = [pair.removesuffix(":identical")] * 2
    else:
        names = ["ex_ref", pair] if pair.startswith("ex_") else [f"{pair}_ref", f"{pair}_dist"]
    return tuple(read_image(folder / f"{name}.png")[None] for name in names)


@pytest.fixture
def random_pairs():
    """A function from (count, height, width) to random references and slightly different images."""

    def make(count, height, width, seed=0):
        generator = torch.Generator().manual_seed(seed)
        ref = torch.rand(count, 3, height, width, generator=generator)
        noise = torch.rand(count, 3, height, width, generator=generator) - 0.5
        return ref, (ref + 0.2 * noise).clamp(0, 1)

    return make
