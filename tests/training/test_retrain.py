"""Training on a dataset's own scores, split by split: what is learned from, what is not, and runs that resume."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.datasets.base import Pair, PairDataset
from robustiqa.datasets.splits import Split, splits_of
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.trainable import Trainable
from robustiqa.training.human import HumanSampler, labels_of, watch
from robustiqa.training.recipe import Crops, Recipe
from robustiqa.training.retrain import Retraining, retrained


class Weighted(QualityModel):
    """A weighted distance of the colours, trained to be near to people's scores."""

    def __init__(self, info):
        super().__init__()
        self.info, self.weights = info, nn.Parameter(torch.rand(3))

    def compare(self, reference, dist):
        return ((reference.image - dist).abs().mean((2, 3)) * self.weights).sum(1)


def load(_settings, file, info):
    model = Weighted(info)
    model.load_state_dict(load_file(file))
    return model


ENTRY = ModelEntry(ModelInfo("weighted", lower_better=True, paper="toy", trained_on=("shipped",)), NoParameters, load)
TRAINABLE = Trainable(
    ENTRY, lambda _, info: Weighted(info), lambda model: model.state_dict(), on_label_scale=False, before=("start",)
)


@dataclass(frozen=True)
class Noisy(PairDataset):
    """Images of 24 x 20 pixels with ever more red noise, and a list of the pairs that were read."""

    reads: list = field(default_factory=list, compare=False)

    def images(self, pair):
        self.reads.append(pair)
        generator = torch.Generator().manual_seed(int(pair.reference))
        ref = torch.rand(3, 24, 20, generator=generator)
        noise = torch.rand(1, 24, 20, generator=generator) * torch.tensor([1, 0.1, 0.1])[:, None, None]
        return ref, (ref + 0.1 * pair.level * noise).clamp(0, 1)


def noisy(score_range=None):
    pairs = tuple(Pair(f"{r}-{n}", str(r), "red", 4.0 - n + 0.01 * r, n) for r in range(10) for n in range(4))
    return Noisy("noisy", pairs, higher_better=True, human_score="MOS", labels="noisy", score_range=score_range)


RECIPE = Recipe(steps=8, learning_rate=1e-2, final_learning_rate=1e-3, crops=(Crops(size=32, count=4, probability=2),),
                validate_every=4, save_every=3)  # fmt: skip


def runs(folder, data, recipe=RECIPE, seed=0, splits=3):
    return [
        Retraining(TRAINABLE, {}, recipe, data, split, folder, seed) for split in splits_of(data.pairs, splits)
    ]  # fmt: skip


def test_training_reads_no_image_of_the_test_part(tmp_path):
    """The train part is drawn from, the validation part watched, and both are disjoint from the test part by reference."""
    data = noisy()
    for run in runs(tmp_path, data):
        data.reads.clear()
        retrained(run)
        read = {pair.reference for pair in data.reads}
        assert read <= run.split.train | run.split.val
        assert read & run.split.train
        assert read & run.split.val
        facts = json.loads(run.path.with_suffix(".json").read_text())
        assert set(facts["references"]["test"]) == run.split.test
        assert facts["last"]["validation_srocc"] > 0.9


def test_scores_of_the_other_parts_do_not_reach_the_labels():
    """Without a published scale its ends are those of the train part; with one they are the scale's."""
    data = noisy()
    split = splits_of(data.pairs)[0]
    train = [pair for pair in data.pairs if pair.reference in split.train]
    where = [pair.reference in split.train for pair in data.pairs]
    labels = labels_of(data, train)
    assert (labels[where].min(), labels[where].max()) == (1, 5)
    wild = replace(data, pairs=tuple(p if p.reference in split.train else replace(p, human=1e3) for p in data.pairs))
    assert np.array_equal(labels_of(wild, train)[where], labels[where])
    published = replace(noisy((0.0, 8.0)), higher_better=False)
    assert labels_of(published, train) == pytest.approx([5 - pair.human / 2 for pair in data.pairs])
    flat = replace(data, pairs=tuple(replace(pair, human=1.0) for pair in data.pairs))
    with pytest.raises(InvalidInput, match="one score"):
        labels_of(flat, flat.pairs)


def test_batches_are_a_function_of_seed_and_step_and_keep_pairs_together():
    """Crops shrink to the smallest image; both images of a pair are cut, turned and mirrored alike."""
    data = noisy()
    labels = np.array([float(pair.id.split("-")[1]) for pair in data.pairs])
    sampler = HumanSampler(data, data.pairs, labels, [(32, 6, 1.0)], seed=3)
    batch, again, other = sampler.batch(5), sampler.batch(5), sampler.batch(6)
    assert batch.ref.shape == batch.dist.shape == (6, 3, 20, 20)
    assert torch.equal(batch.dist, again.dist)
    assert not torch.equal(batch.dist, other.dist)
    difference = (batch.dist - batch.ref).abs()
    assert (difference <= 0.1 * batch.label[:, None, None, None] + 1e-6).all()  # of another crop it would be far above
    assert difference.amax((1, 2, 3)).gt(0).equal(batch.label.gt(0))
    assert watch(Weighted(ENTRY.info), data, [], labels) == {}


def test_a_training_that_was_killed_ends_as_an_unbroken_one(tmp_path):
    """Killed in step 5, after a checkpoint at 3: the same file, bit for bit; a finished one is not trained again."""
    whole, broken = runs(tmp_path / "whole", noisy())[0], runs(tmp_path / "broken", noisy())[0]
    retrained(whole)

    def kill(step, _figures):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrained(broken, kill)
    assert not broken.path.exists()
    steps = []
    retrained(broken, lambda step, _figures: steps.append(step))
    assert steps == [4, 5, 6, 7, 8]
    assert broken.path.read_bytes() == whole.path.read_bytes()
    retrained(broken, kill)
    assert not list((tmp_path / "broken").glob("*.pt"))


def test_the_retrained_model_says_what_it_has_seen(tmp_path):
    """The dataset and what its first weights had seen, not what the shipped checkpoint was trained on."""
    model = retrained(runs(tmp_path, noisy())[0])
    assert model.info.trained_on == ("start", "noisy")
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_checkpoints_of_other_trainings_are_not_taken(tmp_path):
    """Split, recipe, seed and scores each make another file."""
    data = noisy()
    scored = replace(data, pairs=(replace(data.pairs[0], human=2.5), *data.pairs[1:]))
    others = [
        *runs(tmp_path, data),
        runs(tmp_path, data, RECIPE.model_copy(update={"steps": 9}))[0],
        runs(tmp_path, data, seed=1)[0],
        runs(tmp_path, scored)[0],
    ]
    assert len({run.path for run in others}) == len(others)
    assert runs(tmp_path, data)[0].path == others[0].path


def test_what_cannot_be_trained_on_is_told_before_anything_is_trained(tmp_path):
    """Parts without pairs, parts that share a reference, and parameters that the model has not got."""
    data = noisy()
    only = replace(data, pairs=tuple(pair for pair in data.pairs if pair.reference != "0"))
    run = Retraining(TRAINABLE, {}, RECIPE, only, Split("x", frozenset("12"), frozenset(), frozenset("0")), tmp_path, 0)
    with pytest.raises(InvalidInput, match="no pair is in test"):
        run.check()
    with pytest.raises(InvalidInput, match="both train and test"):
        Split("y", frozenset("12"), frozenset(), frozenset("23"))
    with pytest.raises(UnknownName, match="depth"):
        replace(runs(tmp_path, data)[0], parameters={"depth": "3"}).check()
