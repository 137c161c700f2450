"""``evaluate --splits N --retrain``: a training per split, one table, predictions of every test part, resumable."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from robustiqa.training import retrain
from tests.command import robustiqa

RECIPE = """
steps = 3
learning_rate = 1e-3
final_learning_rate = 1e-4
validate_every = 3
save_every = 1
[[crops]]
size = 48
count = 2
probability = 1
"""


@pytest.fixture
def tree(tmp_path):
    """Five references of 48 pixels with two amounts of noise each, a table of scores, and a short recipe."""
    rng = np.random.default_rng(0)
    rows = ["reference,distorted,mos"]
    for reference in range(5):
        pristine = rng.integers(40, 216, (48, 48, 3))
        for amount in (0, 10, 40):
            noisy = np.clip(pristine + rng.normal(0, 1, pristine.shape) * amount, 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(tmp_path / f"{reference}-{amount}.png")
            if amount:
                rows.append(f"{reference}-0.png,{reference}-{amount}.png,{5 - amount / 10 + reference / 9}")
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "short.toml").write_text(RECIPE)
    return tmp_path


def evaluate(tree, *more, models=("birqa", "psnr")):
    named = [word for model in models for word in ("--model", model)]
    return robustiqa("evaluate", *named, "--dataset", "csv=.", "--splits", 2, "--retrain", "short.toml", "--out", "runs",
                     *more, cwd=tree)  # fmt: skip


def test_every_split_has_a_model_of_its_own_and_keeps_its_predictions(tree, monkeypatch):
    """Stopped in the second training and called again: the first is not repeated, and the table says who was trained."""
    train, calls = retrain.train, []

    def stopped(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*arguments)

    monkeypatch.setattr(retrain, "train", stopped)
    assert evaluate(tree).returncode == 130
    result = evaluate(tree)
    assert result.returncode == 0, result.stderr
    assert len(calls) == 3
    files = sorted((tree / "runs" / "retrained").glob("*.safetensors"))
    assert [file.name.split("-split-")[1][0] for file in files] == ["0", "1"]
    table = result.stdout.partition("test parts of 2 splits")[2]
    assert [line.split("|")[1:4] for line in table.splitlines()[4:6]] == [
        [" birqa   ", " trained on each split ", " 2        "], [" psnr    ", " the same              ", " 2        "],
    ]  # fmt: skip
    predictions = pd.read_csv(tree / "runs" / "splits" / "csv-retrained.csv")
    assert predictions.groupby(["model", "split"])["reference"].nunique().tolist() == [1, 1, 1, 1]
    assert evaluate(tree).stdout == result.stdout
    assert len(calls) == 3


@pytest.mark.parametrize("model", ["topiq-squeeze", "lpips-alex"])
def test_the_other_trainable_models_retrain_too(tree, genuine_weights, model):
    """From their published trunk or weights."""
    result = evaluate(tree, "--steps", 1, models=[model])
    assert result.returncode == 0, result.stderr
    assert f"| {model}" in result.stdout
    assert len(list((tree / "runs" / "retrained").glob("*.safetensors"))) == 2


@pytest.mark.parametrize(
    ("models", "more", "words"),
    [
        (["psnr"], [], ["psnr", "birqa"]),
        (["birqa:weights=mine.safetensors"], [], ["weights", "anew"]),
        (["birqa"], ["--retrain", "claen"], ["claen", "clean"]),
        (["birqa"], ["--dataset", "derived:csv=."], ["comparisons"]),
        (["birqa"], ["--limit", "6"], ["3 references"]),
    ],
)
def test_what_cannot_be_retrained_is_one_line_and_exit_code_2(tree, models, more, words):
    """Before anything is scored or trained."""
    result = evaluate(tree, *more, models=models)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert not (tree / "runs").exists()


def test_retraining_needs_splits(tree):
    """Otherwise nothing says what to train on."""
    result = robustiqa("evaluate", "--model", "birqa", "--dataset", "csv=.", "--retrain", "clean", cwd=tree)
    assert result.returncode == 2
    assert "--splits" in result.stderr
