"""TOPIQ-FR against an independent implementation under a reproducible fill, and how its checkpoint is read."""

import csv
import zlib

import numpy as np
import pooch
import pytest
import torch
from torch.nn import functional as F

from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.core.images import read_image
from robustiqa.models import load_model
from robustiqa.models.topiq.attention import Attention
from robustiqa.models.topiq.entry import CHECKPOINT

CASES = {"I03_224": ("I03", 80, 144), "own_jpeg_224": ("own_jpeg", 16, 16)}


def value(key, shape):
    """The oracle's fill: its recipe stands in topiq_fr_oracle.md."""
    z = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("running_var"):
        return np.exp(0.2 * z)
    if key in {"h_emb", "w_emb"}:
        return 0.02 * z
    if len(shape) >= 2:
        return z * np.sqrt(2 / np.prod(shape[1:]))
    if key.endswith("bn3.weight"):
        return 0.25 * (1 + 0.1 * z)
    return 1 + 0.1 * z if key.endswith("weight") else 0.1 * z


@pytest.fixture(scope="module")
def table(shared):
    """Key to shape, as the published checkpoint has them."""
    with (shared / "oracles" / "topiq_fr_state_dict.csv").open() as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["key"]: () if row["shape"] == "scalar" else tuple(map(int, row["shape"].split("x"))) for row in rows}


@pytest.fixture(scope="module")
def checkpoint(table, tmp_path_factory):
    """A file of the published name, layout and shapes, its tensors in the wrapper that such files have."""
    filled = {
        key: torch.tensor(0) if key.endswith("tracked") else torch.tensor(value(key, shape), dtype=torch.float32)
        for key, shape in table.items()
    }
    path = tmp_path_factory.mktemp("topiq") / CHECKPOINT
    torch.save({"params": filled}, path)
    return path


@pytest.fixture(scope="module")
def topiq(checkpoint):
    return load_model("topiq", weights=checkpoint)


@pytest.fixture(scope="module")
def oracle(shared):
    return np.load(shared / "oracles" / "topiq_fr_oracle.npz")


def pair(shared, case):
    name, top, left = CASES[case]
    images = (read_image(shared / "oracles" / "pairs" / f"{name}_{part}.png") for part in ("ref", "dist"))
    return tuple(image[None, :, top : top + 224, left : left + 224] for image in images)


def test_names_and_shapes_are_those_of_the_published_checkpoint(topiq, table, checkpoint):
    """Every key, in its order; what was read names its file."""
    assert [(name, tuple(tensor.shape)) for name, tensor in topiq.state_dict().items()] == list(table.items())
    assert [name for name, _ in topiq.info.weights] == [CHECKPOINT]
    assert topiq.info.flags == ()


@pytest.mark.parametrize("case", CASES)
def test_score_and_gradient_equal_the_oracle(topiq, oracle, shared, case):
    """In float32, for a pair and for identical images.

    A few ReLUs of the trunk flip between float32 and float64, in the independent implementation as here: its own
    float32 gradient has our norms, and both are as far from the float64 gradient. Which ones flip is the CPU's rounding:
    the norms agree to 1e-6 on the oracle's, and within the distance to float64 on others.
    """
    ref, dist = pair(shared, case)
    score = topiq(ref, dist.requires_grad_())
    (gradient,) = torch.autograd.grad(score.sum(), dist)
    wanted = oracle[f"{case}.grad"]
    assert score.item() == pytest.approx(oracle[f"{case}.f64.score"].item(), abs=2e-5)
    assert np.linalg.norm(gradient[0].numpy() - wanted) / np.linalg.norm(wanted) < 1e-3
    norms = [np.linalg.norm(gradient.double().numpy().ravel(), order) for order in (1, 2, np.inf)]
    assert norms == pytest.approx(oracle[f"{case}.f32.grad_norms"], rel=1e-3)
    assert topiq(ref, ref).item() == pytest.approx(oracle[f"{case}.f64.score_identical"].item(), abs=2e-5)


def test_double_precision_leaves_no_doubt(checkpoint, oracle, shared):
    """In float64 from the pictures' bytes, the gradient agrees to the oracle's own storage."""
    model = load_model("topiq", weights=checkpoint).double()
    ref, dist = ((image.double() * 255).round() / 255 for image in pair(shared, "I03_224"))
    score = model(ref, dist.requires_grad_())
    (gradient,) = torch.autograd.grad(score.sum(), dist)
    wanted = oracle["I03_224.grad"]
    assert score.item() == pytest.approx(oracle["I03_224.f64.score"].item(), abs=1e-7)
    assert np.linalg.norm(gradient[0].numpy() - wanted) / np.linalg.norm(wanted) < 1e-6


def test_samples_do_not_meet_and_prepared_references_serve_again(topiq, random_pairs):
    """A batch scores as its samples do one by one; a prepared reference needs the trunk no more."""
    ref, dist = random_pairs(3, 40, 72)
    whole = topiq(ref, dist)
    alone = torch.cat([topiq(ref[i : i + 1], dist[i : i + 1]) for i in range(3)])
    assert torch.allclose(whole, alone, atol=1e-5)
    prepared, calls = topiq.prepare(ref), []
    hook = topiq.semantic_model.register_forward_hook(lambda *_: calls.append(1))
    again = topiq.compare(prepared, dist)
    hook.remove()
    assert torch.equal(again, whole)
    assert len(calls) == 1
    assert torch.allclose(topiq.compare(prepared.select(torch.tensor([2, 0])), dist[[2, 0]]), whole[[2, 0]], atol=1e-5)


def test_attention_is_that_of_torch():
    """The same parameters by the same names give what torch's own module gives."""
    torch.manual_seed(0)
    ours, theirs = Attention(16, 4), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, memory = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    assert torch.allclose(ours(query, memory), theirs(query, memory, memory)[0], atol=1e-6)
    assert not torch.allclose(ours(query, memory), F.layer_norm(query, (16,)), atol=1e-2)


def test_without_a_checkpoint_it_refuses_and_says_how_to_get_one(tmp_path, monkeypatch):
    """No file, no download attempted: the message names the file, its source and the flagged way out."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(pooch, "retrieve", lambda *_a, **_k: pytest.fail("downloaded without a sha256"))
    with pytest.raises(MissingWeights, match=rf"(?s){CHECKPOINT}.*fetch it yourself from https.*ROBUSTIQA_WEIGHTS.*random"):
        load_model("topiq")
    model = load_model("topiq", weights="random")
    assert model.info.flags == ("random-weights",)
    assert model.info.weights == ()


def test_a_checkpoint_of_another_architecture_is_refused(checkpoint, tmp_path):
    """A missing tensor is named; nothing is filled in silently."""
    content = torch.load(checkpoint, weights_only=True)["params"]
    del content["score_linear.6.bias"]
    torch.save(content, tmp_path / "cut.pth")
    with pytest.raises(InvalidInput, match=r"cut\.pth.*score_linear\.6\.bias"):
        load_model("topiq", weights=tmp_path / "cut.pth")
