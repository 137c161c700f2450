"""Training: labels, batches, a run that resumes to the same weights."""

import numpy as np
import pytest
import torch
from PIL import Image

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.datasets.expected_scores import expected_score
from robustiqa.models import load_model
from robustiqa.models.birqa.entry import TRAINABLE
from robustiqa.models.birqa.model import Settings
from robustiqa.training.labels import Distillation, make_labels
from robustiqa.training.losses import plcc, regression_loss
from robustiqa.training.pairs import make_shelves
from robustiqa.training.recipe import Crops, Recipe, load_recipe
from robustiqa.training.run import Run, run_training
from robustiqa.training.synthesis import Draft, drafts
from robustiqa.training.synthesis import Recipe as Synthesis


def test_a_reference_gets_every_type_in_every_stratum():
    """125 published strata, one beyond per type that grows, compositions and transmission errors; repeatable."""
    plan = list(drafts("a", Synthesis(), 0))
    single = [d.steps[0] for d in plan[:125]]
    assert {(code, round(level)) for code, level in single} >= {(c, s) for c in range(1, 26) for s in (2, 3, 4)}
    assert plan == list(drafts("a", Synthesis(), 0))
    assert plan != list(drafts("b", Synthesis(), 0))


def test_labels_keep_the_published_means_and_follow_the_teachers():
    """Without distillation labels are the means; with it, better verdicts get better labels around them."""
    rng = np.random.default_rng(0)
    plan = [Draft(str(i), ((10, float(rng.uniform(1, 5))),)) for i in range(400)]
    means = np.array([expected_score(10, d.steps[0][1]) for d in plan])
    content = rng.normal(0, 0.4, 400)
    teachers = np.stack([means + content] * 4 + [np.full(400, np.nan)], 1)[:, None]
    assert np.allclose(make_labels(plan, teachers, Distillation(0))[:, 0], means)
    labels = make_labels(plan, teachers, Distillation(1))[:, 0]
    deviation = labels - means
    assert np.corrcoef(deviation, content)[0, 1] > 0.6
    assert abs(deviation.mean()) < 0.05


def test_loss_is_the_papers():
    """0.7 MSE - 0.3 PLCC, with numpy's correlation as the judge; constants do not divide by zero."""
    x, y = torch.rand(20), torch.rand(20)
    expected = 0.7 * ((x - y) ** 2).mean() - 0.3 * np.corrcoef(x, y)[0, 1]
    assert float(regression_loss(x, y)) == pytest.approx(float(expected), abs=1e-6)
    assert float(plcc(torch.ones(5), y[:5])) == 0


def test_recipes_are_checked_field_by_field(tmp_path):
    """Unknown names, unknown fields and values out of range say what is wrong."""
    assert load_recipe("clean").alpha == 0.7
    with pytest.raises(UnknownName, match="clean"):
        load_recipe("claen")
    bad = tmp_path / "bad.toml"
    bad.write_text("steps = 0\nlearning_rte = 1\n")
    with pytest.raises(InvalidInput, match="learning_rte"):
        load_recipe(str(bad))
    bad.write_text(
        "steps = 1\nlearning_rate = 1\nfinal_learning_rate = 1\npair_size = 80\ntile = 80\n"
        "[[crops]]\nsize = 96\ncount = 4\nprobability = 1\n"
    )
    with pytest.raises(InvalidInput, match="96 pixels do not fit"):
        load_recipe(str(bad))
    bad.write_text(bad.read_text().replace("tile = 80", "tile = 100").replace("96", "32"))
    with pytest.raises(InvalidInput, match="pair_size 80 is not a multiple of tile 100"):
        load_recipe(str(bad))


def test_another_photograph_of_the_same_name_gets_pairs_of_its_own(photographs, tmp_path):
    """Shelves are named by content too: a cache never serves one photograph's pairs for another's."""
    synthesis = Synthesis(beyond=0, common=0, composed=0, transmission=0, unpublished=0, crop=96, tile=96)
    first, second = (tmp_path / name / "same.png" for name in ("a", "b"))
    for target, source in ((first, photographs[0]), (second, photographs[1])):
        target.parent.mkdir()
        target.write_bytes(source.read_bytes())
    one, other = (next(iter(make_shelves([path], tmp_path / "cache", synthesis, 0, 1))) for path in (first, second))
    assert not np.array_equal(one.distorted, other.distorted)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Five smooth random pictures just large enough for the training crop."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for i in range(5):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        small.resize((96, 96), Image.Resampling.BICUBIC).save(folder / f"p{i}.png")
    return tuple(sorted(folder.glob("*.png")))


def recipe(steps):
    return Recipe(
        steps=steps, learning_rate=1e-3, final_learning_rate=1e-3, crops=(Crops(size=32, count=4, probability=1),), split=(3, 1, 1),
        beyond=0, common=0, composed=1, transmission=1, unpublished=1, pair_size=96, tile=96, validate_every=6, save_every=3,
    )  # fmt: skip


def train(photographs, out, steps):
    run = Run(TRAINABLE, Settings(width=4, levels=2), recipe(steps), photographs, out, seed=1, jobs=1)
    log = []
    run_training(run, lambda step, figures: log.append((step, figures["loss"])))
    return log


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(photographs, tmp_path):
    """Three steps, stopped, three more equal six in one go, bit for bit; the file loads and its facts stand beside it."""
    whole = train(photographs, tmp_path / "whole.safetensors", 6)
    train(photographs, tmp_path / "broken.safetensors", 3)
    resumed = train(photographs, tmp_path / "broken.safetensors", 6)
    assert [step for step, _ in resumed] == [4, 5, 6]
    assert resumed == whole[3:]
    files = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]
    assert load_model("birqa:width=4,levels=2", weights=tmp_path / "whole.safetensors") is not None
    facts = (tmp_path / "whole.json").read_text()
    assert '"validation"' in facts
    assert "validation_srocc" in facts
