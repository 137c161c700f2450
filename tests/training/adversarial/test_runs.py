"""Whole runs of training defenses: they start from one base, resume bit for bit, and say what they cost."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.models import TRAINABLE, load_model
from robustiqa.models.birqa.model import Settings
from robustiqa.training.log import CsvLog, read_log
from robustiqa.training.pairs import Shelf
from robustiqa.training.recipe import AdversarialRecipe, load_recipe
from robustiqa.training.run import Run, judge_start, run_training
from robustiqa.training.synthesis import Draft
from robustiqa.training.validation import validate_attacked
from tests.training.adversarial.cases import Bend

PAIRS = 12
DEFENSES = ("r", "at", "nt", "aat")
BIRQA = TRAINABLE.get("birqa")
TINY = Settings(width=4, levels=2)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Runs that find their pairs made: one reference with ever more noise."""
    rng = np.random.default_rng(0)
    pristine = rng.integers(60, 196, (48, 48, 3), dtype=np.uint8)
    noise = rng.normal(0, 1, (PAIRS, 48, 48, 3)) * np.linspace(0, 50, PAIRS)[:, None, None, None]
    distorted = np.clip(pristine + noise, 0, 255).astype(np.uint8)
    plan = tuple(Draft("a", ((11 + i % 2, 1.0),)) for i in range(PAIRS))
    shelf = Shelf("a", pristine, np.zeros((PAIRS, 2), dtype=np.int64), distorted, plan, np.zeros((PAIRS, 1, 5)), 48)
    labels = np.linspace(4.5, 1.2, PAIRS)[:, None]
    monkeypatch.setattr("robustiqa.training.run._data", lambda *_: ([shelf], [labels]))
    monkeypatch.setattr("robustiqa.training.validation.STRIDE", 1)
    return tmp_path


def small(name, **changes):
    """The shipped recipe on four tiny crops, two steps of its inner attack, four steps in all."""
    shipped = load_recipe(name).model_dump(mode="json")
    inner = shipped["inner"] and {**shipped["inner"], "steps": 2}
    batch = {**shipped["batch"], **({"clean": 0.75, "band": 1.0} if name == "aat" else {})}
    fields = {"budget": 0, "steps": 4, "save_every": 2, "attacked_pairs": 0, "crops": [{"size": 32, "count": 4, "probability": 1}]}
    return AdversarialRecipe.model_validate({**shipped, **fields, "inner": inner, "batch": batch, **changes})


@pytest.fixture
def base(data):
    """An untrained network of the smallest architecture, as a checkpoint to start from."""
    path = data / "base.safetensors"
    save_file(BIRQA.checkpoint(BIRQA.begin(TINY, None, seed=0)), path)
    return path


def run(out, recipe, start, killed_at=None, seed=1):
    log, losses = CsvLog(out.with_suffix(".csv")), []

    def report(step, figures):
        if step == killed_at:
            raise KeyboardInterrupt
        losses.append((step, figures["loss"], figures.get("anchored_average")))
        log(step, figures)

    files = tuple(out.parent / f"{i}.png" for i in range(5))
    settings = Settings() if start is None else TINY
    run_training(Run(BIRQA, settings, recipe, files, out, seed=seed, jobs=1, start=start), report)
    return losses


@pytest.mark.parametrize("name", DEFENSES)
def test_a_resumed_defense_ends_as_an_unbroken_one(data, base, name):
    """Killed in its fourth step, after a checkpoint at two: the same losses, averages, log and file, bit for bit."""
    whole = run(data / "whole.safetensors", small(name), base)
    with pytest.raises(KeyboardInterrupt):
        run(data / "broken.safetensors", small(name), base, killed_at=4)
    assert run(data / "broken.safetensors", small(name), base) == whole[2:]
    assert (data / "broken.safetensors").read_bytes() == (data / "whole.safetensors").read_bytes()
    times = {"seconds", "total_seconds"}
    logs = [[{k: v for k, v in row.items() if k not in times} for row in read_log(data / f"{which}.csv")] for which in ("whole", "broken")]
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0]] == list("1234")


def test_defenses_start_from_the_shipped_base_and_say_what_they_cost(data):
    """The digest of the first weights, passes as counted, and figures of both validations stand in the facts."""
    shipped = weights_digest(load_model("birqa"))
    for name, passes in (("r", 4 * 2 + 2 * 4), ("aat", 4 * 2 + 1 * 4)):
        run(data / f"{name}.safetensors", small(name, steps=0, budget=passes + 1, attacked_pairs=2), None)
        facts = json.loads((data / f"{name}.json").read_text())
        assert facts["start_weights"] == shipped
        assert facts["last"]["passes"] == passes
        assert facts["recipe"]["steps"] == 1
        assert {"validation_srocc", "validation_gain", "validation_attacked_srocc", "total_seconds"} <= facts["last"].keys()
        moved = load_file(data / f"{name}.safetensors")
        assert weights_digest(load_model("birqa", weights=data / f"{name}.safetensors")) != shipped
        assert {tensor.dtype for tensor in moved.values()} == {torch.float32}


def test_a_defense_trains_on_from_a_file(data, base):
    """--start decides the first weights."""
    run(data / "first.safetensors", small("r", steps=1), base)
    run(data / "second.safetensors", small("aat", steps=1), data / "first.safetensors")
    first = weights_digest(load_model("birqa:width=4,levels=2", weights=data / "first.safetensors"))
    assert json.loads((data / "second.json").read_text())["start_weights"] == first


def test_the_checkpoint_of_another_run_is_refused(data, base):
    """Another recipe, seed or start would go on from weights that it never had; a longer run of the same may."""
    out = data / "x.safetensors"
    run(out, small("r", steps=2), base)
    for other in ({"recipe": small("aat")}, {"recipe": small("r"), "seed": 2}):
        with pytest.raises(InvalidInput, match=r"x\.pt is the checkpoint of a run with another recipe"):
            run(out, start=base, **other)
    assert [step for step, *_ in run(out, small("r", steps=3), base)] == [3]


def test_every_step_of_aat_is_measured_against_theorem_1(data, base):
    """Eq. (3), its moving average of 20 steps, the largest error and both bounds; the corrected one holds where it says so."""
    run(data / "aat.safetensors", small("aat"), base)
    rows = read_log(data / "aat.csv")
    average = float(rows[0]["anchored_loss"])
    for row in rows:
        average += 2 / 21 * (float(row["anchored_loss"]) - average)
        assert float(row["anchored_average"]) == pytest.approx(average, rel=1e-4)
        assert float(row["bound_paper"]) <= float(row["bound_corrected"])
        if float(row["conditions_hold"]):
            assert float(row["max_error"]) <= float(row["bound_corrected"]) * (1 + 1e-5)


def test_validation_under_attack_sees_what_pgd_does():
    """A fragile model gains and loses its order; one that is constant gains nothing that could be divided by its range."""
    rng = np.random.default_rng(0)
    pristine = rng.integers(60, 196, (40, 40, 3), dtype=np.uint8)
    distorted = np.clip(pristine + rng.normal(0, 1, (PAIRS, 40, 40, 3)) * np.linspace(0, 9, PAIRS)[:, None, None, None], 0, 255)
    plan = tuple(Draft("a", ((11, 1.0),)) for _ in range(PAIRS))
    shelf = Shelf("a", pristine, np.zeros((PAIRS, 2), int), distorted.astype(np.uint8), plan, np.zeros((PAIRS, 1, 5)), 40)
    labels = [np.linspace(4, 2, PAIRS)[:, None]]
    model = Bend().frozen()
    figures = validate_attacked(model, [shelf], labels, 10, 32)
    assert figures["validation_gain"] > 0.5
    assert figures["validation_attacked_srocc"] < -0.5
    model.gain.data.zero_()
    flat = validate_attacked(model, [shelf], labels, 10, 32)
    assert math.isnan(flat["validation_gain"])


def test_a_start_is_judged_as_an_end_is(data, base):
    """Before training there are the figures that training without a step to speak of ends with."""
    still = small("r", steps=1, attacked_pairs=4, learning_rate=1e-12, final_learning_rate=1e-12)
    files = tuple(data / f"{i}.png" for i in range(5))
    before = judge_start(Run(BIRQA, TINY, still, files, data / "none.safetensors", jobs=1, start=base))
    run(data / "still.safetensors", still, base)
    after = json.loads((data / "still.json").read_text())["last"]
    assert {"validation_srocc", "validation_gain", "validation_attacked_srocc"} <= before.keys()
    assert before == pytest.approx({name: after[name] for name in before}, abs=1e-4)
