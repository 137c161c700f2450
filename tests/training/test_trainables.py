"""Any trainable model: what trains, what is saved, resumed runs, and a distance that learns from quality labels."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from robustiqa.core.errors import MissingWeights, UnknownName
from robustiqa.models import TRAINABLE, load_model
from robustiqa.models.entry import NoParameters
from robustiqa.models.weights import pick
from robustiqa.training.batches import Sampler
from robustiqa.training.lesson import CleanLesson
from robustiqa.training.loop import train
from robustiqa.training.pairs import Shelf
from robustiqa.training.recipe import Crops, Recipe, load_recipe
from robustiqa.training.run import Run, run_training
from robustiqa.training.scale import LabelScale
from robustiqa.training.synthesis import Draft

NAMES = ("topiq-squeeze", "lpips-alex")
PAIRS = 6


@pytest.fixture(scope="module")
def shelf():
    """One reference with ever more noise, labelled by how much."""
    rng = np.random.default_rng(0)
    pristine = rng.integers(60, 196, (64, 64, 3), dtype=np.uint8)
    noise = rng.normal(0, 1, (PAIRS, 64, 64, 3)) * np.linspace(0, 50, PAIRS)[:, None, None, None]
    distorted = np.clip(pristine + noise, 0, 255).astype(np.uint8)
    plan = tuple(Draft("a", ((11 + i % 2, 1.0),)) for i in range(PAIRS))
    corners = np.zeros((PAIRS, 2), dtype=np.int64)
    return Shelf("a", pristine, corners, distorted, plan, np.zeros((PAIRS, 1, 5)), 64)


@pytest.fixture
def data(shelf, tmp_path, monkeypatch):
    """Runs that find their pairs and labels made, and files of weights of the exact shapes, random where trained."""
    labels = np.linspace(4.5, 1.2, PAIRS)[:, None]
    monkeypatch.setattr("robustiqa.training.run._data", lambda *_: ([shelf], [labels]))
    monkeypatch.setattr("robustiqa.training.validation.STRIDE", 1)
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))
    squeeze = load_model("topiq-squeeze", weights="random").state_dict()
    save_file(dict(pick(squeeze, "semantic_model.")), tmp_path / "squeezenet1_1_fp16.safetensors")
    alex = TRAINABLE.get("lpips-alex").checkpoint(load_model("lpips-alex", weights="random"))
    for name in ("alexnet_features", "lpips_lin_v0.1"):
        save_file(alex, tmp_path / f"{name}.safetensors")
    return tmp_path


def recipe(steps):
    return Recipe(
        steps=steps, learning_rate=1e-3, final_learning_rate=1e-3, crops=(Crops(size=48, count=4, probability=1),),
        validate_every=4, save_every=2,
    )  # fmt: skip


def run(name, out, steps, start=None, killed_at=None):
    files = tuple(out.parent / f"{i}.png" for i in range(5))
    log = []
    job = Run(TRAINABLE.get(name), NoParameters(), recipe(steps), files, out, seed=1, jobs=1, start=start)

    def report(step, figures):
        if step == killed_at:
            raise KeyboardInterrupt
        log.append((step, figures["loss"], figures))

    run_training(job, report)
    return [(step, loss) for step, loss, _ in log], log[-1][2]


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_ends_as_an_unbroken_one(data, name):
    """Killed in the third of four steps, after a checkpoint at two: the same losses, the same file, bit for bit."""
    whole, figures = run(name, data / "whole.safetensors", 4)
    with pytest.raises(KeyboardInterrupt):
        run(name, data / "broken.safetensors", 4, killed_at=3)
    assert not (data / "broken.safetensors").exists()
    resumed, _ = run(name, data / "broken.safetensors", 4)
    assert resumed == whole[2:]
    assert (data / "broken.safetensors").read_bytes() == (data / "whole.safetensors").read_bytes()
    if name == "lpips-alex":
        assert figures["validation_srocc"] > 0.8  # more noise, more distance, less quality
    facts = json.loads((data / "whole.json").read_text())
    assert facts["name"] == name
    assert facts["start"] is None


def test_only_the_head_of_topiq_squeeze_trains(data):
    """The trunk ends as it began and is not in the file, which loads under the model's name."""
    run("topiq-squeeze", data / "mine.safetensors", 2)
    saved = load_file(data / "mine.safetensors")
    assert not any(name.startswith(("semantic_model.", "features.")) for name in saved)
    assert {tensor.dtype for tensor in saved.values()} == {torch.float16}
    state = torch.load(data / "mine.pt", weights_only=True)
    trunk = load_file(data / "squeezenet1_1_fp16.safetensors")
    for part in ("model", "average"):
        assert all(torch.equal(state[part][f"semantic_model.{name}"], tensor) for name, tensor in trunk.items())
    begun = TRAINABLE.get("topiq-squeeze").begin(NoParameters(), None, 1)
    moved = [name for name in saved if not torch.equal(state["model"][name], begun.state_dict()[name])]
    assert len(moved) == len(saved)
    assert load_model("topiq-squeeze", weights=data / "mine.safetensors").info.flags == ()


def test_an_untrained_head_starts_in_the_middle_of_the_labels(data):
    """Its first scores are near 3, drawn from the seed alone."""
    trainable = TRAINABLE.get("topiq-squeeze")
    models = [trainable.begin(NoParameters(), None, seed) for seed in (0, 0, 1)]
    ref, dist = torch.rand(2, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    scores = [model(ref, dist) for model in models]
    assert (scores[0] - 3).abs().max() < 1.5
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


def test_lpips_learns_and_stays_a_distance(data):
    """Trunk and heads move, heads stay nonnegative, and the file is read as LPIPS with scores of its own scale."""
    run("lpips-alex", data / "mine.safetensors", 3)
    begun, trained = load_model("lpips-alex"), load_model("lpips-alex", weights=data / "mine.safetensors")
    moved = [name for name, tensor in trained.state_dict().items() if not torch.equal(tensor, begun.state_dict()[name])]
    assert len(moved) == len(begun.state_dict())
    assert all((head >= 0).all() for head in trained.heads)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert trained(image, image).item() == 0
    assert trained.info.lower_better
    assert {name for name, _ in trained.info.weights} == {"mine.safetensors"}


def test_heads_that_training_turns_negative_are_put_back():
    """The projection of LPIPS's paper, which leaves nonnegative weights as they are."""
    model = load_model("lpips-alex", weights="random")
    kept = model.heads[0].clone()
    kept[0] = 0
    model.heads[0][0] = -1.0
    TRAINABLE.get("lpips-alex").constrain(model)
    assert torch.equal(model.heads[0], kept)


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_from_a_checkpoint(data, name):
    """``start`` decides the first weights, and the facts hold its sha256."""
    run(name, data / "first.safetensors", 1)
    trainable = TRAINABLE.get(name)
    begun = trainable.checkpoint(trainable.begin(NoParameters(), data / "first.safetensors", seed=7))
    assert all(torch.equal(begun[key], tensor) for key, tensor in load_file(data / "first.safetensors").items())
    run(name, data / "second.safetensors", 1, start=data / "first.safetensors")
    assert len(json.loads((data / "second.json").read_text())["start"]) == 64


def test_a_run_that_lacks_weights_is_refused_before_pairs_are_made(data, monkeypatch):
    """Pairs take minutes; the refusal takes none of them."""
    monkeypatch.setattr("robustiqa.training.run._data", lambda *_: pytest.fail("pairs were made"))
    monkeypatch.setattr("pooch.retrieve", lambda *_a, **_k: (_ for _ in ()).throw(OSError("offline")))
    (data / "squeezenet1_1_fp16.safetensors").unlink()
    with pytest.raises(MissingWeights, match="squeezenet1_1"):
        run("topiq-squeeze", data / "x.safetensors", 1)


class Distance(nn.Module):
    def forward(self, ref, dist):
        return 0.01 * (ref - dist).abs().mean((1, 2, 3))


def test_a_distance_meets_labels_in_the_loss_alone(shelf):
    """The first batches fix mean and deviation; more distance is never a better label."""
    labels = np.linspace(4.5, 1.2, PAIRS)[:, None]
    sampler = Sampler([shelf], [labels], [(48, 8, 1.0)], seed=0)
    scale = LabelScale(-1).fit(Distance(), sampler)
    batches = [sampler.batch(step) for step in range(4)]
    label = torch.cat([batch.label for batch in batches])
    with torch.no_grad():
        mapped = torch.cat([scale(Distance()(batch.ref, batch.dist)) for batch in batches])
        assert scale(torch.tensor(0.02)) < scale(torch.tensor(0.01))
    assert mapped.mean().item() == pytest.approx(label.mean().item(), abs=1e-3)
    assert mapped.std().item() == pytest.approx(label.std().item(), rel=1e-3)


def test_the_scale_learns_and_is_kept_for_resuming(data, shelf):
    """It takes part in the steps, and a checkpoint without it is not taken for one with it."""
    labels = np.linspace(4.5, 1.2, PAIRS)[:, None]
    sampler = Sampler([shelf], [labels], [(48, 4, 1.0)], seed=0)
    model = TRAINABLE.get("lpips-alex").begin(NoParameters(), None, 0)
    scale = LabelScale(-1).fit(model, sampler)
    before = {name: tensor.clone() for name, tensor in scale.state_dict().items()}
    train(model, sampler, CleanLesson(0.7), recipe(2), data / "a.pt", lambda _: {}, lambda *_: None, scale)
    kept = torch.load(data / "a.pt", weights_only=True)["scale"]
    assert all(not torch.equal(kept[name], before[name]) for name in before)
    assert all(torch.equal(kept[name], tensor) for name, tensor in scale.state_dict().items())


def test_recipes_suit_each_trainable_model(tmp_path):
    """Tables of one model change that model alone; a table for no model is refused with the nearest name."""
    for name in ("clean", "continue"):
        rates = {model: load_recipe(name, model).learning_rate for model in TRAINABLE.names()}
        assert rates["birqa"] == load_recipe(name).learning_rate
        assert rates["birqa"] > rates["topiq-squeeze"] > rates["lpips-alex"]
        assert load_recipe(name, "lpips-alex").crops == load_recipe(name).crops
    path = tmp_path / "mine.toml"
    path.write_text(
        "steps = 9\nlearning_rate = 1.0\nfinal_learning_rate = 0.1\n[[crops]]\nsize = 32\ncount = 2\nprobability = 1.0\n"
        "[models.topiq-squeze]\nsteps = 3\n"
    )
    with pytest.raises(UnknownName, match="Did you mean 'topiq-squeeze'"):
        load_recipe(str(path))
