"""Shipped checkpoints of training defenses."""

from importlib.resources import files

from robustiqa.models.defended import PACKAGES, RECIPES, SHA256, defended_file
from robustiqa.models.weights import found, sha256_of


def test_what_ships_is_what_is_registered(monkeypatch, tmp_path):
    """Every registered sha256 has its file in the package of its model, and every file there its sha256."""
    monkeypatch.delenv("ROBUSTIQA_WEIGHTS", raising=False)
    shipped = {
        f"{model}-{recipe}": found(defended_file(model, recipe))
        for model, package in PACKAGES.items()
        for recipe in RECIPES
        if files(package).joinpath(f"{model}-{recipe}.safetensors").is_file()
    }
    registered = {key: digest for key, digest in SHA256.items() if key.rsplit("-", 1)[0] in PACKAGES}
    assert {key: sha256_of(path) for key, path in shipped.items()} == registered
