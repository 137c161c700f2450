"""topiq-squeeze: its size, its own name, and where its head and trunk come from."""

import hashlib
from importlib.resources import files

import pooch
import pytest
import torch
from safetensors.torch import save_file

from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.models import TRAINABLE, load_model, model_info
from robustiqa.models.topiq.squeeze import FILES, SHA256, SHIPPED
from robustiqa.models.weights import pick

TRUNK_FILE = "squeezenet1_1_fp16.safetensors"
IS_SHIPPED = files("robustiqa.models.topiq").joinpath(SHIPPED).is_file()


@pytest.fixture(scope="module")
def untrained():
    return load_model("topiq-squeeze", weights="random")


@pytest.fixture
def places(untrained, tmp_path, monkeypatch):
    """A folder of the variable with an exactly shaped trunk, a head as training saves it, and no network."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))

    def offline(*_args, **_kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", offline)
    trunk = {name: 2 * tensor for name, tensor in pick(untrained.state_dict(), "semantic_model.").items()}
    save_file(trunk, tmp_path / TRUNK_FILE)
    save_file(TRAINABLE.get("topiq-squeeze").checkpoint(untrained), tmp_path / "mine.safetensors")
    return tmp_path


def test_the_head_is_small_enough_to_ship(untrained, places):
    """At most a million parameters and 2 MB; the trunk is in no checkpoint of ours."""
    head = TRAINABLE.get("topiq-squeeze").checkpoint(untrained)
    assert sum(tensor.numel() for tensor in head.values()) <= 1_000_000
    assert {tensor.dtype for tensor in head.values()} == {torch.float16}
    assert (places / "mine.safetensors").stat().st_size <= 2_000_000
    trunk = {name for name in untrained.state_dict() if name.startswith("semantic_model.")}
    assert set(head) == set(untrained.state_dict()) - trunk


def test_a_trained_head_meets_the_trunk_of_the_usual_places(untrained, places):
    """The head from the given file, the trunk from elsewhere, both named; its name never says TOPIQ alone."""
    model = load_model("topiq-squeeze", weights=places / "mine.safetensors")
    for name, tensor in model.state_dict().items():
        wanted = untrained.state_dict()[name]
        assert torch.equal(tensor, 2 * wanted if name.startswith("semantic_model.") else wanted.half().float())
    assert [name for name, _ in model.info.weights] == ["mine.safetensors", TRUNK_FILE]
    assert model.info.name == "topiq-squeeze"
    assert model.info.paper.startswith("ours")


def test_without_the_trunk_it_says_how_to_get_it(places):
    """The head alone is no model."""
    (places / TRUNK_FILE).unlink()
    with pytest.raises(MissingWeights, match=rf"(?s){TRUNK_FILE}.*torchvision.*ROBUSTIQA_WEIGHTS"):
        load_model("topiq-squeeze", weights=places / "mine.safetensors")
    with pytest.raises(MissingWeights, match=TRUNK_FILE):
        TRAINABLE.get("topiq-squeeze").begin(None, None, 0)


def test_without_a_shipped_head_it_names_the_command_that_makes_one(places, monkeypatch):
    """As before its first training, or in a package that lost the file."""
    monkeypatch.setattr("robustiqa.models.weights._shipped", lambda _: None)
    with pytest.raises(MissingWeights, match=rf"(?s){SHIPPED}.*robustiqa train --model topiq-squeeze"):
        load_model("topiq-squeeze")


def test_a_shipped_head_is_found_in_the_package(untrained, places, tmp_path, monkeypatch):
    """Before the variable's folder, and without being asked for."""
    package = tmp_path / "package"
    package.mkdir()
    (package / SHIPPED).write_bytes((places / "mine.safetensors").read_bytes())
    (places / SHIPPED).write_bytes(b"not this one")
    monkeypatch.setattr("robustiqa.models.weights.package_files", {FILES[""].package: package}.__getitem__)
    model = load_model("topiq-squeeze")
    assert torch.equal(model.get_parameter("h_emb"), untrained.get_parameter("h_emb").half().float())


@pytest.mark.skipif(not IS_SHIPPED, reason="no head of topiq-squeeze has been trained and shipped yet")
def test_the_shipped_head_is_the_one_that_was_recorded():
    """Its sha256 stands in the source and in the model's facts."""
    data = files("robustiqa.models.topiq").joinpath(SHIPPED).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert len(data) <= 2_000_000
    assert (SHIPPED, SHA256) in model_info("topiq-squeeze").weights


def test_other_architectures_are_refused(untrained, places):
    """A head of other sizes is named with what does not fit, and so is one with a part missing."""
    head = TRAINABLE.get("topiq-squeeze").checkpoint(untrained)
    save_file({**head, "h_emb": torch.zeros(1, 8, 32, 1)}, places / "narrow.safetensors")
    with pytest.raises(InvalidInput, match=r"narrow\.safetensors.*h_emb"):
        load_model("topiq-squeeze", weights=places / "narrow.safetensors")
    save_file({name: tensor for name, tensor in head.items() if name != "w_emb"}, places / "cut.safetensors")
    with pytest.raises(InvalidInput, match=r"cut\.safetensors.*w_emb"):
        load_model("topiq-squeeze", weights=places / "cut.safetensors")


@pytest.mark.parametrize("size", [(17, 17), (33, 47), (64, 96)])
def test_any_size_scores_sample_by_sample(untrained, random_pairs, size):
    """Down to the smallest declared; batches, prepared references and gradients behave."""
    ref, dist = random_pairs(3, *size)
    dist.requires_grad_()
    scores = untrained(ref, dist)
    (gradient,) = torch.autograd.grad(scores.sum(), dist)
    assert gradient.isfinite().all()
    assert (gradient.flatten(1).abs().amax(1) > 0).all()
    alone = torch.cat([untrained(ref[i : i + 1], dist[i : i + 1]) for i in range(3)])
    assert torch.allclose(scores, alone, atol=1e-5)
    assert torch.equal(untrained.compare(untrained.prepare(ref), dist), scores)
