"""Training defenses by name: where checkpoints are found, what they replace, and what is said when there are none."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from robustiqa.benchmarks.plan import Request, plan
from robustiqa.core.cache import cache_folder
from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.defenses import load_defense
from robustiqa.models import TRAINABLE, load_model
from robustiqa.models.defended import RECIPES
from robustiqa.models.psnr import PSNR
from robustiqa.models.weights import sha256_of
from tests.attacks.cases import images
from tests.command import robustiqa
from tests.toys import memory

BIRQA = TRAINABLE.get("birqa")


@pytest.fixture
def checkpoint(tmp_path):
    """BiRQA with another bias in its head, as robustiqa train would write it."""
    model = load_model("birqa")
    for parameter in model.network.head.parameters():
        parameter.data += 0.01
    path = tmp_path / "mine" / "birqa-aat.safetensors"
    path.parent.mkdir()
    save_file(BIRQA.checkpoint(model), path)
    return path


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """Neither shipped checkpoints nor those of the user's own folders."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("robustiqa.models.defended.PACKAGES", {})


def test_a_file_that_is_named_is_taken(checkpoint):
    """The same architecture, other weights, both said; the undefended model stays as it is."""
    base = load_model("birqa")
    before = weights_digest(base)
    defended = load_defense(f"aat:weights={checkpoint}").apply(base)
    assert weights_digest(base) == before != weights_digest(defended)
    assert type(defended) is type(base)
    assert all(torch.equal(defended.state_dict()[name], tensor) for name, tensor in load_file(checkpoint).items())
    assert defended.info.name == "birqa"
    assert defended.info.weights == (("birqa-aat.safetensors", sha256_of(checkpoint)),)
    assert not any(parameter.requires_grad for parameter in defended.parameters())
    assert not defended.training


@pytest.mark.parametrize("place", ["variable", "cache"])
def test_checkpoints_are_found_by_name(checkpoint, monkeypatch, tmp_path, place):
    """In the folder that the variable names, or in the cache."""
    if place == "variable":
        monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(checkpoint.parent))
    else:
        cache_folder("weights").mkdir(parents=True)
        (cache_folder("weights") / checkpoint.name).write_bytes(checkpoint.read_bytes())
    defended = load_defense("aat").apply(load_model("birqa"))
    assert defended.info.weights[0][1] == sha256_of(checkpoint)
    with pytest.raises(MissingWeights, match="birqa-nt"):
        load_defense("nt").apply(load_model("birqa"))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_missing_checkpoint_says_how_to_make_it(recipe):
    """The command, its recipe and the names under which the file will be found."""
    with pytest.raises(MissingWeights) as caught:
        load_defense(recipe).apply(load_model("birqa"))
    message = str(caught.value)
    assert f"robustiqa train --model birqa --recipe {recipe} --dataset kadid-style=FOLDER --out birqa-{recipe}.safetensors" in message
    assert f"{recipe}:weights=FILE" in message
    assert "$ROBUSTIQA_WEIGHTS" in message


def test_the_command_line_exits_with_2_before_anything_runs(tmp_path):
    """Bad input, in one line, and no results folder."""
    done = robustiqa("bench", "--model", "birqa", "--defense", "aat", "--attack", "fgsm", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "robustiqa train --model birqa --recipe aat" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_other_architectures_keep_their_parameters(tmp_path):
    """birqa:width=4,levels=2 is defended by a checkpoint of that architecture, and refuses another's."""
    tiny = load_model("birqa:width=4,levels=2", weights="random")
    save_file(BIRQA.checkpoint(tiny), tmp_path / "tiny.safetensors")
    defended = load_defense(f"r:weights={tmp_path / 'tiny.safetensors'}").apply(tiny)
    assert defended.info.name == "birqa:width=4,levels=2"
    assert defended.info.flags == ()  # the random weights are gone
    with pytest.raises(InvalidInput, match="does not fit"):
        load_defense(f"r:weights={tmp_path / 'tiny.safetensors'}").apply(load_model("birqa"))


def test_purifiers_stand_in_front_of_the_trained_model(checkpoint):
    """aat+jpeg: JPEG, then the AAT model; the other order is refused, and so is a model that is purified already."""
    ref, dist = images(2, 32)
    aat = load_defense(f"aat:weights={checkpoint}")
    composed = load_defense(f"aat:weights={checkpoint}+jpeg:quality=50").apply(load_model("birqa"))
    by_hand = load_defense("jpeg:quality=50").apply(aat.apply(load_model("birqa")))
    assert torch.equal(composed(ref, dist), by_hand(ref, dist))
    assert not torch.equal(composed(ref, dist), aat.apply(load_model("birqa"))(ref, dist))
    with pytest.raises(InvalidInput, match="write it first"):
        load_defense(f"jpeg+aat:weights={checkpoint}")
    with pytest.raises(InvalidInput, match="replaces the model behind jpeg"):
        aat.apply(load_defense("jpeg").apply(load_model("birqa")))


def test_what_cannot_be_trained_has_no_trained_defense():
    """With the models that can."""
    with pytest.raises(InvalidInput, match="aat is trained, and 'psnr' cannot be: birqa, lpips-alex, topiq-squeeze can"):
        load_defense("aat").apply(PSNR())


def test_labels_that_only_the_defense_has_seen_are_flagged(tmp_path):
    """LPIPS was not trained on KADID-10k's means; its defended kin was, and says so in its cells."""
    model = load_model("lpips-alex", weights="random")
    save_file(TRAINABLE.get("lpips-alex").checkpoint(model), tmp_path / "lpips-alex-aat.safetensors")
    data = memory()
    means = type(data)(**{**vars(data), "labels": "kadid10k-means"})
    for dataset, flags in ((data, ()), (means, ("labels-seen-in-training",))):
        jobs = plan(Request((model,), (), (dataset,), (load_defense("aat"),), crop=16))
        (clean,) = [job for job in jobs if job.spec.purpose == "clean" and job.spec.defense]
        assert clean.spec.defense.flags == flags
    birqa = plan(Request((load_model("birqa"),), (), (means,), (load_defense("jpeg"),), crop=16))
    assert all(job.spec.defense.flags == () for job in birqa if job.spec.defense)  # birqa's own record says it
