"""Attacks of other libraries keep every promise of ours."""

import builtins
import csv
import json
import random as python_random
import sys

import numpy as np
import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.budget import Linf
from robustiqa.attacks.engines.art import ART, art_modules
from robustiqa.attacks.engines.bridge import Bridge, TwoLogits
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput, MissingExtra, UnknownName
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.objective import Objective
from robustiqa.core.parameters import spelled
from robustiqa.core.random import RandomStreams
from robustiqa.defenses import load_defense
from tests.attacks.cases import EPS, Watched, attack, images
from tests.attacks.test_oracles import CROPS, crop
from tests.command import robustiqa
from tests.toys import Jittered, Linear, Wavy

COSTS = {
    "torchattacks:fgsm": (1, 1),
    "torchattacks:bim,steps=3": (3, 3),
    "torchattacks:pgd,steps=3": (3, 3),
    "torchattacks:mifgsm,steps=3": (3, 3),
    "torchattacks:nifgsm,steps=3": (3, 3),
    "torchattacks:vmifgsm,steps=2": (12, 12),
    "torchattacks:apgd,steps=6": (8, 7),
    "torchattacks:square,queries=20": (20, 0),
    "torchattacks:cw,steps=1": (1, 1),
    "art:fgm": (1, 1),
    "art:pgd,steps=3": (3, 3),
    "art:mifgsm,steps=3": (3, 3),
    "art:square,queries=21": (21, 0),
}


@pytest.mark.parametrize("text", COSTS)
def test_passes_are_counted_exactly_and_every_image_is_kept_in_the_ball(text):
    """What the books say is what the model saw; the result is the best of it; parameters get no gradient."""
    model = Watched(Wavy())
    model.weight = torch.nn.Parameter(torch.ones(()))
    ref, dist = images(2)
    objective = Objective(model.eval(), ref)
    result = load_attack(text).run(objective, dist, EPS)
    forwards, backwards = COSTS[text]
    assert result.cost.forwards.tolist() == [forwards] * 2
    assert result.cost.backwards.tolist() == [backwards] * 2
    assert model.backwards == 2 * backwards
    assert sum(map(len, model.seen)) == 2 * forwards + int(objective.harness_cost.forwards.sum())
    assert float((result.adversarial - dist).abs().max()) <= EPS
    assert (result.attacked_score <= result.clean_score).all()
    assert result.cost.saturated.tolist() == [0, 0]
    assert not model.training
    assert model.weight.grad is None


def test_passes_of_an_engine_stand_on_single_images():
    """No call holds two samples, so nothing can be paired with another sample's reference."""
    model = Watched(Wavy())
    ref, dist = images(3)
    objective = Objective(model, ref)
    load_attack("torchattacks:square,queries=12").run(objective, dist, EPS)
    harness = [len(seen) for seen in model.seen if len(seen) > 1]
    assert len(harness) == 6  # clean, last twice, clean again, best, 8-bit: whole batches; the search has none


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("torchattacks:fgsm", "fgsm"), ("art:fgm", "fgsm"), ("torchattacks:bim,steps=4,alpha=1/255", "bim:steps=4"),
     ("art:pgd,steps=4", "pgd:steps=4,random_start=false"),
     ("torchattacks:pgd,steps=4,random_start=false", "pgd:steps=4,random_start=false")],
)  # fmt: skip
@pytest.mark.parametrize("direction", ["up", "down"])
def test_attacks_without_chance_reach_what_ours_reach(theirs, ours, direction):
    """The same steps on the same objective, in three implementations."""
    ref, dist = images()
    one, two = (attack(text, Wavy(), ref, dist, direction) for text in (theirs, ours))
    torch.testing.assert_close(one.last_score, two.last_score, rtol=1e-4, atol=1e-3)


def states():
    """Of the three global generators."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), (name, keys.tolist(), *rest), python_random.getstate()


@pytest.mark.parametrize("text", ["torchattacks:pgd,steps=2", "torchattacks:apgd,steps=3", "art:square,queries=12"])
def test_random_numbers_follow_from_seed_and_id_and_the_global_ones_are_untouched(text):
    """Torch's, numpy's and Python's generators stand where they stood, whatever the library seeds."""
    ref, dist = images(2)
    first, other = attack(text, Wavy(), ref, dist, seed=1), attack(text, Wavy(), ref, dist, seed=2)
    with torch.random.fork_rng(devices=[]):
        torch.rand(5)  # the global state moves on, the result does not
        np.random.rand(5)  # noqa: NPY002
        before = states()
        again = attack(text, Wavy(), ref, dist, seed=1)
        assert states() == before
    assert torch.equal(first.adversarial, again.adversarial)
    assert not torch.equal(first.adversarial, other.adversarial)


def test_the_librarys_pgd_starts_where_ours_does():
    """The same random point of the ball, so that which is stronger does not hang on a draw."""
    ref, dist = images(2)
    for text in ("pgd:steps=2", "torchattacks:pgd,steps=2"):
        model = Watched(Wavy())
        attack(text, model, ref, dist, seed=3)
        starts = Linf.around(dist, EPS).random_point(RandomStreams(3, "pgd", ("0", "1")))
        seen = torch.cat(model.seen)
        assert all((seen - start).abs().flatten(1).amax(1).min() < 1e-6 for start in starts)


class Scaled(QualityModel):
    """A score of any size and offset: Wavy's, mapped."""

    def __init__(self, factor, offset):
        super().__init__()
        self.factor, self.offset, self.inner = factor, offset, Wavy()
        self.info = ModelInfo("scaled", lower_better=True, paper="toy")

    def compare(self, reference, dist):
        return self.offset + self.factor * self.inner.compare(reference, dist)


@pytest.mark.parametrize("factor", [1e-6, 1, 1e6])
def test_two_logits_never_saturate_whatever_the_range_of_the_score(factor):
    """The label is kept, the margin stays small, the gradient lives: APGD finds the same gain at every scale."""
    ref, dist = images(2)
    gain = lambda k: [  # noqa: E731
        float(x) / k
        for r in [attack("torchattacks:apgd,steps=8", Scaled(k, 0.0), ref, dist)]
        for x in r.clean_score - r.attacked_score
    ]
    assert gain(factor) == pytest.approx(gain(1.0), rel=2e-2)


def test_the_margin_stays_below_what_float32_can_hold():
    """At any J, also a million scales away: never 4, and the label is never lost."""
    ref, dist = images(1)
    objective, ball = Objective(Scaled(1e4, 5.0), ref), Linf.around(dist, EPS)
    search = Search(objective, ball, objective.value(dist, torch.arange(1)))
    logits = TwoLogits.around(search, ball, 0, RandomStreams(0, "x", ("a",)))(torch.cat([dist, ref, 1 - dist]))
    assert (logits[:, 0] > logits[:, 1]).all()
    assert float((logits[:, 0] - logits[:, 1]).max()) < 4


def test_a_loss_that_saturates_is_counted():
    """Cross-entropy on raw scores of 4,000: its gradient is zero though the objective's is not."""
    ref, dist = images(1)
    objective, ball = Objective(Wavy(), ref, "down"), Linf.around(dist, EPS)
    search = Search(objective, ball, objective.value(dist, torch.arange(1)))
    bridge = Bridge(search, ball, 0)
    x = dist.clone().requires_grad_()
    j = bridge(x)
    loss = torch.nn.functional.cross_entropy(torch.stack((j, -j), 1), torch.zeros(1, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(loss, x)
    assert not gradient.any()
    assert objective.cost.saturated.tolist() == [1]
    assert objective.cost.dead.tolist() == [0]


def test_engines_serve_defended_and_randomised_models():
    """Through a composition with EOT, adaptive and oblivious: both report the same clean score of the defended model."""
    ref, dist = images(2, 24)
    defended = load_defense("bit-depth:bits=5+noise:sigma=0.02").apply(Wavy())
    adaptive = load_attack("torchattacks:pgd,steps=3").run(Objective(defended, ref, eot=2), dist, EPS)
    assert adaptive.cost.forwards.tolist() == [6, 6]
    oblivious = load_attack("art:pgd,steps=3").run(Objective(Wavy(), ref, score_with=defended), dist, EPS)
    assert (adaptive.attacked_score < adaptive.clean_score).all()
    assert torch.equal(adaptive.clean_score, oblivious.clean_score)
    assert load_attack("art:fgm").run(Objective(Jittered(), ref), dist, EPS).cost.forwards.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("torchattacks:pdg", InvalidInput, "'pdg' is not one of"),
        ("torchattacks:fgsm,steps=3", UnknownName, "parameter of torchattacks:fgsm 'steps'"),
        ("art:pgd,random_start=true", UnknownName, "parameter of art:pgd 'random_start'"),
        ("torchattacks:pgd,steps=0", InvalidInput, "steps=0 must be a whole number, at least 1"),
        ("torchattacks:pgd,alpha=0", InvalidInput, r"alpha=0\.0 must be above 0"),
        ("art:square,queries=2", InvalidInput, "queries=2 must be a whole number, at least 10"),
    ],
)
def test_wrong_spellings_are_refused(text, error, said):
    """By the name of the version and of the parameter."""
    with pytest.raises(error, match=said):
        load_attack(text)


def test_unknown_versions_by_keyword_are_refused_too():
    """No text is converted there."""
    with pytest.raises(InvalidInput, match="version='apgd' is not one of fgm, mifgsm, pgd, square"):
        load_attack("art", version="apgd")
    with pytest.raises(UnknownName, match="version of art 'apgd'"):
        ART(version="apgd")


def test_spelling_says_what_runs_and_can_be_typed_again():
    """The library's own defaults may change; the label does not leave them open."""
    one = load_attack("torchattacks:pgd,steps=40")
    assert spelled(one.name, one) == "torchattacks:pgd,steps=40,alpha=2/255,random_start=true"
    assert load_attack(spelled(one.name, one)) == one
    assert load_attack("art:square").access == load_attack("torchattacks:square").access == "black-box"
    assert load_attack("art").access == "white-box"


@pytest.mark.parametrize(("name", "library"), [("torchattacks", "torchattacks"), ("art", "adversarial-robustness-tool")])
def test_without_the_library_the_error_says_how_to_get_it(name, library, monkeypatch):
    """At once, before anything runs."""
    monkeypatch.setattr("robustiqa.attacks.engines.engine.find_spec", lambda _package: None)
    with pytest.raises(MissingExtra, match=rf"{library}.*pip install 'robustiqa\[engines\]'"):
        load_attack(name)


def test_without_the_libraries_they_are_listed_and_not_called_broken(monkeypatch):
    """An extra that was left out is no broken plug-in; the passes of such an attack are not known."""
    monkeypatch.setattr("robustiqa.attacks.engines.engine.find_spec", lambda _package: None)
    listed = robustiqa("attacks", "--json")
    passes = {record["name"]: record["calls"] for record in json.loads(listed.stdout)}
    assert (passes["art"], passes["torchattacks"], listed.stderr) == (None, None, "")


def test_listing_and_loading_import_no_library(tmp_path):
    """They are extras, and take seconds to import."""
    import subprocess

    code = "import sys; from robustiqa.attacks import load_attack; load_attack('art'); load_attack('torchattacks'); "
    code += "sys.exit(any(m in sys.modules for m in ('art', 'torchattacks')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("pair", CROPS)
@pytest.mark.parametrize(
    ("text", "attack_name", "library", "tolerance"),
    [
        ("torchattacks:fgsm", "FGSM", "torchattacks", 1e-4),
        ("art:fgm", "FGSM", "adversarial-robustness-toolbox", 1e-4),
        ("torchattacks:pgd,random_start=false", "PGD-10", "torchattacks", 3e-4),
        ("art:pgd", "PGD-10", "adversarial-robustness-toolbox", 3e-4),
        ("torchattacks:mifgsm", "MI-FGSM-10", "torchattacks", 1e-3),
        ("art:mifgsm", "MI-FGSM-10", "adversarial-robustness-toolbox", 2e-3),  # adds 1e-7 to a norm that J scales
    ],
)
def test_engines_repeat_what_the_libraries_did_by_themselves(
    genuine_weights, shared, pair, text, attack_name, library, tolerance
):
    """The oracle was made with the libraries' own objects, outside of this project."""
    from robustiqa.models import load_model

    with (shared / "oracles" / "attack_oracles.csv").open() as file:
        wanted = [r for r in csv.DictReader(file) if (r["pair"], r["attack"], r["library"]) == (pair, attack_name, library)]
    ref, dist = crop(shared, pair)
    result = load_attack(text).run(Objective(load_model("lpips-alex"), ref), dist, EPS, ids=[pair])
    (row,) = wanted
    assert float(result.last_score) == pytest.approx(float(row["returned_score"]), abs=tolerance)
    assert float(result.attacked_score) <= float(row["attacked_score"]) + tolerance


def test_linear_scores_are_solved_by_one_step():
    """The best point of a ball is a corner, and both libraries find it."""
    ref, dist = images(1)
    ours, one, two = (float(attack(t, Linear(), ref, dist).attacked_score) for t in ("fgsm", "torchattacks:fgsm", "art:fgm"))
    assert one == pytest.approx(ours, abs=1e-4)
    assert two == pytest.approx(ours, abs=1e-4)


def test_two_processes_may_be_the_first_to_import_art(monkeypatch):
    """ART's NameError, where another process wrote its configuration meanwhile, is no failure; a second one is."""
    modules, left = art_modules(), 1

    def raced(name, *arguments):
        nonlocal left
        if name.startswith("art.") and left:
            left -= 1
            raise NameError("name '_config' is not defined")
        return real(name, *arguments)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", raced)
    assert art_modules() == modules
    left = 2
    with pytest.raises(NameError, match="_config"):
        art_modules()
