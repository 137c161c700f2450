"""Where weights are looked for, what is accepted, and what is refused."""

import hashlib
import os
import pickle
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest
import torch
from safetensors.torch import load_file, save_file

from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.models import load_model
from robustiqa.models import weights as finding
from robustiqa.models.lpips import ALEX
from robustiqa.models.weights import WeightFile, fill, read_tensors

ALEX_TRUNK, ALEX_HEADS = "alexnet_features.safetensors", "lpips_lin_v0.1.safetensors"


class Scale(QualityModel):
    """A model with one parameter in one sub-module."""

    info = ModelInfo("scale", lower_better=True, paper="none")

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1, bias=False)

    def compare(self, reference, dist):
        return (reference.image - dist).abs().mean((1, 2, 3)) * self.linear.weight.sum()


FILE = WeightFile("scale.safetensors", "scale.pth", "nowhere")


def put(path, value, name="weight"):
    """A weights file whose one tensor holds ``value``; returns its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: torch.tensor([[value]])}
    save_file(tensors, path) if path.suffix == ".safetensors" else torch.save(tensors, path)
    return sha256(path)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The cache and the folder of the variable, both empty; any download fails as if offline."""
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path / "named"))
    (tmp_path / "named").mkdir()

    def offline(*_args, **_kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", offline)
    return {name: tmp_path / name for name in ("cache", "named", "mine")} | {"cache": tmp_path / "cache" / "weights"}


def filled(weights=None, file=FILE):
    return fill(Scale(), {"linear": file}, weights)


def value(model):
    return model.linear.weight.item()


def test_places_are_searched_in_order(places):
    """Explicit path, then the variable's folder, then the cache; each wins over the later ones."""
    put(places["cache"] / "scale.safetensors", 3.0)
    assert value(filled()) == 3
    put(places["named"] / "scale.pth", 2.0)
    assert value(filled()) == 2
    digest = put(places["mine"] / "scale.safetensors", 1.0)
    for explicit in (places["mine"], places["mine"] / "scale.safetensors", str(places["mine"])):
        model = filled(explicit)
        assert value(model) == 1
        assert model.info.weights == (("scale.safetensors", digest),)


def test_a_clone_brings_the_checkpoints_that_are_too_large_for_the_wheel(places, tmp_path, monkeypatch):
    """From its folder weights, before any other place, and only those whose sha256 is registered."""
    clone = tmp_path / "clone"
    (clone / "weights").mkdir(parents=True)
    monkeypatch.setattr(finding, "CLONE", clone)
    file = replace(FILE, name_sha256=put(clone / "weights" / "scale.safetensors", 2.0))
    put(places["named"] / "scale.safetensors", 3.0)
    assert value(filled(file=file)) == 3  # a folder of that name that is in no clone is not looked into
    (clone / "pyproject.toml").touch()
    assert value(filled(file=file)) == 2
    assert value(filled(file=replace(file, name_sha256="0" * 64))) == 3
    assert value(filled()) == 3


def test_users_own_files_are_taken_with_any_digest_but_cached_ones_are_not(places):
    """A cached file must have the registered sha256; what the user points to is recorded as it is."""
    good = put(places["mine"] / "good.safetensors", 1.0)
    file = replace(FILE, name_sha256=good, sha256="0" * 64)
    digest = put(places["cache"] / "scale.safetensors", 5.0)
    with pytest.raises(MissingWeights, match=good):
        filled(file=file)
    put(places["cache"] / "scale.safetensors", 1.0)
    assert value(filled(file=file)) == 1
    put(places["named"] / "scale.safetensors", 5.0)
    assert value(filled(file=file)) == 5
    assert filled(file=file).info.weights == (("scale.safetensors", digest),)


def test_missing_weights_name_every_way_to_get_them(places):
    """The error of an offline machine says path, variable, cache, package, download and random."""
    with pytest.raises(MissingWeights) as failure:
        load_model("lpips-alex")
    message = str(failure.value)
    given = ("MODEL:weights=PATH", "load_model(..., weights=PATH)", "weights=random")
    ways = (*given, "$ROBUSTIQA_WEIGHTS", str(places["cache"]), "https://download.pytorch.org")
    for way in (*ways, "no route to host", "alexnet-owt-7be5be79.pth", ALEX_TRUNK):
        assert way in message


def test_missing_heads_name_the_package_that_brings_them(places, shared):
    """With the trunk at hand, the error is about the heads and says which package has them."""
    (places["named"] / ALEX_TRUNK).symlink_to(shared / "weights" / ALEX_TRUNK)
    with pytest.raises(MissingWeights, match=r"(?s)alex\.pth.*pip install lpips"):
        load_model("lpips-alex")


def test_an_explicit_path_is_never_silently_replaced(places):
    """A mistyped path, an empty folder and a file of other tensors fail although the cache has the weights."""
    put(places["cache"] / "scale.safetensors", 3.0)
    with pytest.raises(MissingWeights, match="no such file or folder"):
        filled(places["mine"] / "typo")
    places["mine"].mkdir()
    with pytest.raises(MissingWeights, match="holds nothing that the model takes"):
        filled(places["mine"])
    put(places["mine"] / "other.safetensors", 1.0, name="unrelated")
    picky = replace(FILE, select=lambda tensors: {n: t for n, t in tensors.items() if n == "weight"})
    with pytest.raises(MissingWeights, match="holds nothing that the model takes"):
        filled(places["mine"] / "other.safetensors", picky)


def test_a_variable_that_names_no_folder_is_an_error(places, monkeypatch):
    """A mistyped variable must not end in weights from elsewhere."""
    put(places["cache"] / "scale.safetensors", 3.0)
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(places["mine"]))
    with pytest.raises(InvalidInput, match="ROBUSTIQA_WEIGHTS"):
        filled()


def test_a_pickle_that_would_run_code_does_not_run(places, tmp_path):
    """A hostile .pth is refused with its name, and leaves no trace of having run."""
    marker = tmp_path / "owned"

    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    path = places["named"] / "scale.pth"
    path.write_bytes(pickle.dumps({"weight": Hostile()}, protocol=2))
    for weights in (None, path):
        with pytest.raises(InvalidInput, match="read safely") as failure:
            filled(weights)
        assert str(path) in str(failure.value)
    torch.save({"weight": Hostile()}, path)
    with pytest.raises(InvalidInput, match="read safely"):
        filled()
    assert not marker.exists()
    pickle.loads(pickle.dumps(Hostile()))
    assert marker.exists(), "the file was hostile indeed"


@pytest.mark.parametrize("name", ["scale.safetensors", "scale.pth"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"\x80\x02}q\x00", b"\xff" * 64, b"text\n"])
def test_damaged_files_are_named(places, name, content):
    """Truncated and foreign files end in one error that names the file."""
    path = places["named"] / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=name):
        filled()


def test_a_pth_without_named_tensors_is_refused(tmp_path):
    """A training checkpoint of nested dictionaries is not a weights file."""
    torch.save({"model": {"weight": torch.zeros(1)}}, tmp_path / "a.pth")
    with pytest.raises(InvalidInput, match="more than named tensors"):
        read_tensors(tmp_path / "a.pth")


def test_weights_of_another_shape_or_name_do_not_fit(places):
    """A file of another architecture is refused with the file and the tensor named."""
    path = places["named"] / "scale.safetensors"
    save_file({"weight": torch.zeros(3, 3)}, path)
    with pytest.raises(InvalidInput, match=r"scale\.safetensors.*weight"):
        filled()
    save_file({"weight": torch.zeros(1, 1), "extra": torch.zeros(1)}, path)
    with pytest.raises(InvalidInput, match="extra"):
        filled()


def test_half_precision_is_widened(places):
    """float16 kernels become float32 exactly; integers stay."""
    path = places["named"] / "scale.safetensors"
    save_file({"weight": torch.tensor([[0.1]], dtype=torch.float16), "count": torch.tensor([7])}, path)
    tensors = read_tensors(path)
    assert tensors["weight"].dtype == torch.float32
    assert float(tensors["weight"]) == float(torch.tensor(0.1, dtype=torch.float16))
    assert tensors["count"].dtype == torch.int64


@pytest.fixture
def server(tmp_path):
    """A web server on this machine that serves ``tmp_path / "web"``; yields its address."""
    (tmp_path / "web").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "web"))
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    thread.join()
    web.server_close()


def test_a_download_is_verified_and_cached(server, tmp_path, monkeypatch):
    """The right file is fetched once and kept; one with another sha256 is refused and not kept."""
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ROBUSTIQA_WEIGHTS", raising=False)
    digest = put(tmp_path / "web" / "scale.pth", 4.0)
    file = replace(FILE, url=f"{server}/scale.pth", sha256=digest)
    with pytest.raises(MissingWeights, match="download failed"):
        filled(file=replace(file, sha256="0" * 64))
    assert not list(tmp_path.glob("cache/**/scale.pth"))
    assert value(filled(file=file)) == 4
    (tmp_path / "web" / "scale.pth").unlink()
    assert filled(file=file).info.weights == (("scale.pth", digest),)
    with pytest.raises(MissingWeights, match=r"scale\.pth"):
        filled(file=replace(file, url="", sha256="1" * 64))


def test_official_checkpoints_load_like_the_safetensors(shared, loaded, tmp_path, random_pairs):
    """torchvision's whole .pth with a classifier, and the lpips package's heads, give the same scores."""
    trunk = load_file(shared / "weights" / ALEX_TRUNK)
    heads = load_file(shared / "weights" / ALEX_HEADS)
    torch.save({**trunk, "classifier.6.weight": torch.zeros(4, 4)}, tmp_path / "alexnet-owt-7be5be79.pth")
    official = {f"lin{i}.model.1.weight": heads[f"alex.lin{i}"][None, :, None, None] for i in range(5)}
    torch.save(official, tmp_path / "alex.pth")
    model = load_model("lpips-alex", weights=tmp_path)
    pairs = random_pairs(2, 40, 40)
    assert torch.equal(model(*pairs), loaded("lpips-alex")(*pairs))
    assert {name for name, _ in model.info.weights} == {"alexnet-owt-7be5be79.pth", "alex.pth"}


def test_one_explicit_file_replaces_its_part_only(shared, places, monkeypatch):
    """Own heads go with the usual trunk, and both are on record."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(shared / "weights"))
    heads = {f"alex.lin{i}": torch.zeros(c) for i, c in enumerate((64, 192, 384, 256, 256))}
    places["mine"].mkdir()
    save_file(heads, places["mine"] / "robust.safetensors")
    model = load_model("lpips-alex", weights=places["mine"] / "robust.safetensors")
    assert all(float(head.abs().max()) == 0 for head in model.heads)
    assert float(model.trunk.features[0].weight.abs().max()) > 0
    recorded = dict(model.info.weights)
    assert recorded["robust.safetensors"] == sha256(places["mine"] / "robust.safetensors")
    assert recorded[ALEX_TRUNK] == sha256(shared / "weights" / ALEX_TRUNK)


def test_registered_digests_are_those_of_the_shared_files(shared):
    """The safetensors that the digests speak of are the ones beside SHA256SUMS."""
    lines = (shared / "weights" / "SHA256SUMS").read_text().splitlines()
    published = {name: digest for digest, name in (line.split() for line in lines)}
    known = {name: digest for name, digest in ALEX.info.weights if name.endswith(".safetensors")}
    assert known == {name: published[name] for name in (ALEX_TRUNK, ALEX_HEADS)}


def test_random_weights_are_explicit_flagged_and_reproducible(places, random_pairs):
    """Only weights="random" gives an untrained network: flagged, without files, the same every time."""
    first, second = (load_model("lpips-squeeze", weights="random") for _ in range(2))
    pairs = random_pairs(1, 32, 32)
    assert "random-weights" in first.info.flags
    assert first.info.weights == ()
    assert torch.equal(first(*pairs), second(*pairs))
    assert float(first(*pairs)) > 0
    with pytest.raises(MissingWeights):
        load_model("lpips-squeeze")


@pytest.mark.parametrize("name", ["lpips-squeeze", "dists"])
def test_building_leaves_the_global_generator_alone(name):
    """The caller's random numbers are the same whether or not a model was built between them."""
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load_model(name, weights="random")
    assert torch.equal(torch.rand(3), expected)
