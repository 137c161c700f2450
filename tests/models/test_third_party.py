"""Models that are not ours: a file named on the command line, and pyiqa (here a stand-in of the same call shape)."""

import sys
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch

from robustiqa.benchmarks.provenance import code_digest
from robustiqa.core.errors import BrokenPlugin, InvalidInput, MissingWeights, UnknownName
from robustiqa.models import load_model
from robustiqa.models.weights import sha256_of

FILE = """
import robustiqa as rq

class Mine(rq.QualityModel):
    info = rq.ModelInfo("mine", lower_better=True, paper="toy")
    def compare(self, reference, dist):
        return (reference.image - dist).abs().flatten(1).mean(1)

class Other: ...
"""


class Metric(torch.nn.Module):
    """As pyiqa's: the distorted image first, [N, 1] scores, of which this one depends on the batch."""

    lower_better = True

    def forward(self, target, ref):
        assert len(target) == 1, "batches could mix"
        return (target - ref).abs().mean().reshape(1, 1)


@pytest.fixture
def pyiqa(monkeypatch):
    """A module in pyiqa's place that notes how it was called."""
    calls = []

    def create_metric(name, **options):
        calls.append((name, options))
        return Metric()

    def list_models(metric_mode):
        return ["ahiq", "wadiqam_fr"] if metric_mode == "FR" else ["niqe"]

    fake = SimpleNamespace(list_models=list_models, create_metric=create_metric)
    monkeypatch.setitem(sys.modules, "pyiqa", fake)
    return calls


def test_a_class_in_a_file_is_a_model(tmp_path, random_pairs):
    """Its name can be typed again, and the sha256 of its file stands in the cell as a plug-in's code."""
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    model = load_model(f"{file}:Mine")
    ref, dist = random_pairs(2, 8, 8)
    assert torch.equal(model(ref, dist), load_model(model.info.name)(ref, dist))
    assert code_digest(model) == sha256_of(file)


@pytest.mark.parametrize(("spelled", "words"), [
    ("mine.py", "name a file and its class"), ("mine.py:", "name a file and its class"), ("absent.py:Mine", "no such file"),
    ("mine.py:Mien", "no such class; its models: Mine"), ("mine.py:Other", "no QualityModel"),
])  # fmt: skip
def test_what_is_no_model_in_a_file_is_refused(tmp_path, spelled, words):
    """The message says what the file has."""
    (tmp_path / "mine.py").write_text(FILE)
    with pytest.raises(InvalidInput, match=words):
        load_model(str(tmp_path / spelled))


def test_a_file_that_crashes_is_a_broken_plugin(tmp_path):
    """With its own error."""
    (tmp_path / "bad.py").write_text("1 / 0")
    with pytest.raises(BrokenPlugin, match="ZeroDivisionError"):
        load_model(f"{tmp_path / 'bad.py'}:Mine")


def test_pyiqa_is_called_for_gradients_one_pair_at_a_time(pyiqa, random_pairs):
    """Named pyiqa:NAME, with its direction, licence and flag."""
    model = load_model("pyiqa:ahiq")
    ref, dist = random_pairs(3, 8, 8)
    x = dist.requires_grad_()
    scores = model(ref, x)
    torch.testing.assert_close(scores, (ref - dist).abs().flatten(1).mean(1))
    assert torch.autograd.grad(scores.sum(), x)[0].abs().max() > 0
    assert pyiqa == [("ahiq", {"as_loss": True, "loss_reduction": "none", "device": "cpu"})]
    assert model.info.name == "pyiqa:ahiq"
    assert model.info.lower_better
    assert "Noncommercial" in model.info.licence
    assert model.info.flags == ("non-commercial-licence",)


def test_unknown_metrics_and_a_missing_package_are_named(pyiqa, monkeypatch):
    """With the nearest metric, or the command that installs."""
    with pytest.raises(UnknownName, match="Did you mean 'ahiq'"):
        load_model("pyiqa:ahik")
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(InvalidInput, match=r"pip install 'robustiqa\[pyiqa\]'"):
        load_model("pyiqa:ahiq")


def test_weights_of_pyiqa_that_cannot_be_fetched_are_missing_weights(pyiqa, monkeypatch):
    """One line with the way out, in place of a URLError."""
    def offline(name, **options):
        raise URLError("name or service not known")

    monkeypatch.setattr(sys.modules["pyiqa"], "create_metric", offline)
    with pytest.raises(MissingWeights, match=r"pyiqa:ahiq.*not known.*cache/torch/hub/pyiqa"):
        load_model("pyiqa:ahiq")
