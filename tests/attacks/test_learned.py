"""facpa and uap: what was learned is found, checked and used."""

import json
from dataclasses import replace

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.budget import Linf
from robustiqa.attacks.facpa import UNet, reflected
from robustiqa.attacks.learned import cached_path
from robustiqa.attacks.uap import Pattern
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.core.errors import InvalidInput
from robustiqa.core.objective import Objective
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import Pair
from robustiqa.datasets.synthetic import kadid_style
from robustiqa.defenses import load_defense
from robustiqa.models import load_model
from robustiqa.training.perturbations import Recipe, learn
from tests.attacks.cases import EPS, Quadratic, images
from tests.toys import Linear, Memory, Wavy, memory

TINY = Recipe(steps=40, crop=16, width=2, batch=4)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "cache"))


def teach(kind, model, out, sign=1, recipe=TINY, data=None):
    return learn(kind, model, sign, data or memory(), recipe, out, lambda *_: None)


@pytest.mark.parametrize("kind", ["facpa", "uap"])
def test_what_was_learned_raises_a_score_that_one_pattern_can_raise(kind, tmp_path):
    """A linear score with weights that repeat: both directions get most of what the ball allows, without a query."""
    ref, dist = images(3, 24)
    for sign, direction in ((1, "up"), (-1, "down")):
        recipe = Recipe(steps=120, crop=24, width=2, batch=2)
        record = teach(kind, Linear(), tmp_path / f"{direction}.safetensors", sign, recipe)
        j = record["held_out_j"]
        assert j["attacked"] > max(j["clean"], j["random_signs"])
        result = load_attack(kind).run(Objective(Linear(), ref, direction), dist, EPS)
        best = load_attack("fgsm").run(Objective(Linear(), ref, direction), dist, EPS)
        share = (result.attacked_score - result.clean_score) / (best.attacked_score - best.clean_score)
        assert (share > (0.9 if kind == "uap" else 0.3)).all()
        assert result.cost.forwards.tolist() == [0, 0, 0]


class Noisy(Memory):
    """Noise of either sign on random references: an image does not tell which way its reference lies."""

    def images(self, pair):
        generator = torch.Generator().manual_seed(int(pair.id))
        ref, noise = torch.rand((2, 3, 24, 24), generator=generator)
        return ref, (ref + 0.1 * (noise - 0.5)).clamp(0, 1)


def test_facpa_that_sees_the_reference_goes_where_it_is(tmp_path):
    """Of a distance to it, at ε other than the one it was learned at; blind to it there is nothing to learn."""
    data = Noisy("noisy", memory().pairs, higher_better=True, human_score="toy", labels="toy")
    ref, dist = (torch.stack(x) for x in zip(*(data.images(Pair(i, i, "", 0.0)) for i in ("8", "9")), strict=True))
    recipe = Recipe(steps=80, crop=24, width=2, batch=2)
    for seeing in (True, False):
        path = tmp_path / f"{seeing}.safetensors"
        teach("facpa", Quadratic(), path, recipe=replace(recipe, reference=seeing), data=data)
        for eps in (2 / 255, EPS):
            result = load_attack("facpa", up=str(path)).run(Objective(Quadratic(), ref), dist, eps)
            best = Quadratic()(ref, Linf.around(dist, eps).project(ref))
            share = (result.last_score - result.clean_score) / (best - result.clean_score)
            assert (share > 0.3).all() if seeing else (share < 0.1).all()


def test_facpa_learns_on_a_genuine_metric(genuine_weights, tmp_path):
    """On LPIPS random signs do harm; a few steps on one photograph beat them, and what was there, on another."""
    whole = load_dataset("demo").photographs
    data = kadid_style("small", {name: lambda name=name: whole[name]()[200:264, 200:264] for name in ("astronaut", "coffee")})
    recipe = Recipe(steps=40, crop=48, width=4, batch=2, pairs=12)
    j = teach("facpa", load_model("lpips-alex"), tmp_path / "f.safetensors", recipe=recipe, data=data)["held_out_j"]
    assert j["random_signs"] < j["clean"] < j["attacked"]


@pytest.mark.parametrize("kind", ["facpa", "uap"])
def test_without_a_file_the_error_says_how_to_make_one(kind):
    """For this model, defense and direction."""
    ref, dist = images(1, 24)
    model = load_defense("jpeg:quality=30").apply(Wavy())
    command = f"robustiqa train-attack {kind} --model wavy --defense jpeg:quality=30 --direction down"
    with pytest.raises(InvalidInput, match=command):
        load_attack(kind).run(Objective(model, ref, "down"), dist, EPS)


def test_a_file_serves_its_model_and_direction_alone(tmp_path):
    """Another model, a defended one, or the other direction is refused by name."""
    path = tmp_path / "f.safetensors"
    teach("uap", Wavy(), path)
    ref, dist = images(1, 24)
    chosen = load_attack("uap", up=str(path), down=str(path))
    assert chosen.run(Objective(Wavy(), ref), dist, EPS).adversarial.shape == dist.shape
    for model, direction in ((Linear(), "up"), (load_defense("jpeg").apply(Wavy()), "up"), (Wavy(), "down")):
        with pytest.raises(InvalidInput, match="was learned for"):
            chosen.run(Objective(model, ref, direction), dist, EPS)


def test_a_changed_file_is_refused(tmp_path):
    """The sha256 in the record is that of the tensors; a missing record is told of."""
    path = tmp_path / "f.safetensors"
    teach("uap", Wavy(), path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    chosen = load_attack("uap", up=str(path))
    with pytest.raises(InvalidInput, match=r"not the file that its \.json speaks of"):
        chosen.learned(Wavy(), 1)
    path.with_suffix(".json").unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        chosen.learned(Wavy(), 1)


def test_references_are_split_and_recorded(tmp_path):
    """Learned on some, kept from the others; evaluating on those it saw is flagged and its sha256 is in the cell."""
    data = memory(8)
    record = teach("uap", Wavy(), tmp_path / "f.safetensors", data=data)
    assert json.loads((tmp_path / "f.json").read_text()) == record
    assert set(record["references"]) | set(record["held_out"]) == {"r0", "r1"}
    assert not set(record["references"]) & set(record["held_out"])
    request = Request((Wavy(),), (load_attack("uap"),), (data,), directions=("up",))
    spec = next(job.spec for job in plan(request) if job.spec.purpose == "attack")
    assert spec.attack.weights == record["sha256"]
    assert spec.attack.flags == ("attack-saw-references",)


def test_the_same_training_is_done_once_and_repeats(tmp_path, monkeypatch):
    """From the cache the second time; trained again the file is the same; other steps make another file."""
    first = teach("facpa", Wavy(), tmp_path / "a.safetensors")
    calls = []
    learn("facpa", Wavy(), 1, memory(), TINY, tmp_path / "b.safetensors", lambda *step: calls.append(step))
    assert calls == []
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "other"))
    assert teach("facpa", Wavy(), tmp_path / "c.safetensors")["sha256"] == first["sha256"]
    teach("facpa", Wavy(), tmp_path / "d.safetensors", recipe=Recipe(steps=2, crop=16, width=2))
    with pytest.raises(InvalidInput, match=r"several files fit.*facpa:up=FILE"):
        load_attack("facpa").learned(Wavy(), 1)
    assert cached_path(first["target"], first["data"], first["recipe"]).exists()


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (64, 32), (67, 123)])
def test_networks_keep_the_size_and_the_range(size):
    """Any size; perturbations in [-1, 1]; mirrored borders are the image's own pixels."""
    x, lack = torch.rand((2, 2, 3, *size), generator=torch.Generator().manual_seed(0))
    for network in (UNet(2, reference=True), UNet(2, reference=False), Pattern(16)):
        out = network(x, 9 * lack)
        assert out.shape == x.shape
        assert float(out.detach().abs().max()) <= 1
    padded = reflected(x, 32)
    assert all(side % 32 == 0 for side in padded.shape[-2:])
    assert torch.equal(padded[..., : size[0], : size[1]], x)
    if size == (31, 33):
        assert torch.equal(padded[..., 31, :33], x[..., 29, :])
        assert torch.equal(padded[..., :31, 33], x[..., :, 31])


def test_crops_and_data_that_do_not_fit_are_refused(tmp_path):
    """Images of 24 pixels have no crop of 64; one reference cannot be split."""
    with pytest.raises(InvalidInput, match=r"24x24 is below the crop of 64.*--crop"):
        teach("uap", Wavy(), tmp_path / "f.safetensors", recipe=Recipe(steps=1, crop=64))
    with pytest.raises(InvalidInput, match="wanted at least 2"):
        teach("uap", Wavy(), tmp_path / "f.safetensors", data=memory(1))
