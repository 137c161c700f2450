"""What every attack promises, whatever it does inside."""

import random as python_random
from dataclasses import dataclass, fields
from itertools import product

import numpy as np
import pytest
import torch

from robustiqa.attacks import ATTACKS, load_attack
from robustiqa.attacks.base import Attack
from robustiqa.attacks.limits import Limits
from robustiqa.core.objective import Objective
from robustiqa.training.perturbations import Recipe, learn
from tests.toys import Linear, Wavy, memory

EPS = 8 / 255
SMALL = ["fgsm", "bim:steps=3", "pgd:steps=3,restarts=2", "apgd:steps=8,restarts=2", "cw:steps=5", "square:queries=20",
         "autoattack:quick", "mifgsm:steps=3", "nes:queries=20,pairs=3", "parsimonious:queries=40,block=4,batch=8",
         "korhonen:steps=4", "perceptual:steps=2,bisections=2", "cw-min:searches=2,steps=4", "facpa", "uap",
         "pgd-adam:steps=4", "torchattacks:apgd,steps=4", "art:pgd,steps=3"]  # fmt: skip
L2 = ["pgd:steps=3,norm=l2", "apgd:steps=6,restarts=2,norm=l2", "mifgsm:steps=3,norm=l2", "pgd-adam:steps=12,norm=l2",
      "square:queries=60,norm=l2"]  # fmt: skip
SIZES = [(1, 1), (1, 7), (5, 3), (13, 30), (67, 123)]


@pytest.fixture(autouse=True)
def learned(own_cache, tmp_path):
    """What facpa and uap need for the toy models; made once, then taken from the cache."""
    recipe = Recipe(steps=3, crop=24, width=2, batch=2)
    for model, kind, sign in product((Wavy(), Linear()), ("facpa", "uap"), (1, -1)):
        learn(kind, model, sign, memory(), recipe, tmp_path / f"{kind}{sign}.safetensors", lambda *_: None)


def images(count=4, size=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ref, dist = (torch.randint(0, 256, (count, 3, size, size), generator=generator).float() / 255 for _ in range(2))
    return ref, dist


def attack(text, model, ref, dist, direction="up", ids=None, seed=0):
    ids = ids or [f"s{i}" for i in range(len(ref))]
    return load_attack(text).run(Objective(model, ref, direction), dist, EPS, seed, ids)


def sizes(text, x, dist):
    """How far [N] images are from ``dist`` in the attack's norm, as float64 measures it."""
    change = (x.double() - dist.double()).flatten(1)
    return change.square().mean(1).sqrt() if "norm=l2" in text else change.abs().amax(1)


@pytest.mark.parametrize("text", SMALL + L2)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_result_is_feasible_and_never_worse_than_clean(text, direction):
    """Within ε as Python compares it, within [0, 1], 8-bit on the grid, J at least clean."""
    ref, dist = images()
    model = Wavy()
    result = attack(text, model, ref, dist, direction)
    for x in (result.adversarial, result.adversarial_8bit):
        assert float(x.min()) >= 0
        assert float(x.max()) <= 1
    assert (sizes(text, result.adversarial, dist) <= EPS).all()
    assert (sizes(text, result.adversarial_8bit, dist) <= EPS + 1e-6).all()
    levels = result.adversarial_8bit * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    sign = {"up": -1, "down": 1}[direction]
    assert (sign * (result.attacked_score - result.clean_score) >= 0).all()
    assert torch.equal(result.attacked_score, model(ref, result.adversarial))


@pytest.mark.parametrize("text", SMALL + L2)
def test_the_ball_and_the_box_are_exact_in_float16_too(text):
    """As float64 measures them, not as half precision rounds them; something moves, and J is at least clean."""
    ref, dist = (x.half() for x in images())
    result = attack(text, Wavy(), ref, dist)
    assert result.adversarial.dtype == torch.float16
    assert not torch.equal(result.adversarial, dist)
    assert 0 <= float(result.adversarial.min()) <= float(result.adversarial.max()) <= 1
    assert (sizes(text, result.adversarial, dist) <= EPS).all()
    assert (result.attacked_score <= result.clean_score).all()
    assert torch.equal(result.attacked_score, -Objective(Wavy(), ref).value(result.adversarial, torch.arange(4)))


@pytest.mark.parametrize("text", L2)
def test_an_l2_ball_is_exact_too(text):
    """The root mean square change is at most ε, also on the 8-bit grid, and more than L-infinity allows is reached."""
    ref, dist = images()
    result = attack(text, Wavy(), ref, dist)
    for x in (result.adversarial, result.adversarial_8bit):
        assert (sizes(text, x, dist) <= EPS).all()
        assert 0 <= float(x.min()) <= float(x.max()) <= 1
    assert float((result.adversarial - dist).abs().max()) > EPS
    if not text.startswith("square"):  # bumps are no better than stripes on a score without any structure
        assert (result.attacked_score < attack(text.replace("l2", "linf"), Wavy(), ref, dist).attacked_score).all()


@pytest.mark.parametrize("text", SMALL + L2)
@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_attacked(text, size):
    """Down to one pixel, and sides that are multiples of nothing."""
    if text.startswith("autoattack") and size == SIZES[-1]:
        pytest.skip("its members are tested at this size")
    generator = torch.Generator().manual_seed(1)
    ref, dist = (torch.rand((2, 3, *size), generator=generator) for _ in range(2))
    text = text + ",distance=psnr,budget=60" if text.startswith("perceptual") else text  # SSIM needs 11 pixels
    result = attack(text, Wavy(), ref, dist)
    assert result.adversarial.shape == dist.shape
    assert (sizes(text, result.adversarial, dist) <= EPS).all()
    assert (result.attacked_score <= result.clean_score).all()


@pytest.mark.parametrize("text", SMALL + L2)
def test_a_vanishing_eps_has_no_effect(text):
    """The image stays where it is, and so does the score."""
    ref, dist = images()
    result = load_attack(text).run(Objective(Wavy(), ref), dist, 1e-9)
    assert float((result.adversarial - dist).abs().max()) <= 1e-7
    assert torch.allclose(result.attacked_score, result.clean_score, rtol=1e-5)
    assert torch.equal(result.adversarial_8bit, dist)


@pytest.mark.parametrize("text", [t for t in SMALL + L2 if not t.startswith("cw-min")])
def test_strength_does_not_fall_with_eps_on_a_smooth_score(text):
    """A linear score: twice the radius, at least the effect. (cw-min stops at its goal; its curve rises, see there.)"""
    ref, dist = images()
    scores = [load_attack(text).run(Objective(Linear(), ref), dist, eps).attacked_score for eps in (2 / 255, 4 / 255)]
    assert (scores[1] >= scores[0] - 1e-4).all()


BUDGETS = [("bim", "steps=2", "steps=8"), ("pgd", "steps=2", "steps=8"), ("mifgsm", "steps=2", "steps=8"), ("apgd",
     "steps=5", "steps=20"), ("cw", "steps=5", "steps=40"), ("korhonen", "steps=2", "steps=20"), ("nes", "queries=40",
     "queries=400"), ("square", "queries=10", "queries=300"), ("parsimonious:block=4", "queries=20", "queries=300"),
     ("pgd-adam", "steps=3", "steps=30"), ("perceptual:bisections=4,distance=psnr,budget=60", "steps=2", "steps=20"),
     ("square:norm=l2", "queries=10", "queries=300"), ("apgd:norm=l2", "steps=4", "steps=20"),
     ("pgd:norm=l2", "steps=2", "steps=8"), ("mifgsm:norm=l2", "steps=2", "steps=8"),
     ("pgd-adam:norm=l2", "steps=3", "steps=30"),
     ("torchattacks:pgd,random_start=false", "steps=1", "steps=6"), ("art:pgd", "steps=1", "steps=6")]  # fmt: skip
ELSEWHERE = {"fgsm", "uap", "facpa", "autoattack", "cw-min"}  # no budget; learned steps; of members; a smaller change


@pytest.mark.parametrize(("text", "few", "many"), BUDGETS)
def test_strength_does_not_fall_with_the_budget_on_a_smooth_score(text, few, many):
    """More steps or queries on a linear score."""
    ref, dist = images()
    join = "," if ":" in text else ":"
    less, more = (attack(f"{text}{join}{budget}", Linear(), ref, dist).attacked_score for budget in (few, many))
    assert (more >= less - 1e-4).all()


def test_cw_min_with_more_steps_needs_no_larger_change():
    """Its strength is how little it changes: the same goal, met with less."""
    ref, dist = images()
    few, many = (attack(f"cw-min:searches=3,tau=1,steps={steps}", Linear(), ref, dist) for steps in (10, 100))
    assert all((one.attacked_score - one.clean_score >= 1 - 1e-4).all() for one in (few, many))
    change = [(one.adversarial - dist).flatten(1).norm(dim=1) for one in (few, many)]
    assert (change[1] <= change[0] + 1e-6).all()


@pytest.mark.parametrize("text", SMALL + L2)
def test_the_model_is_left_as_it_was(text, tmp_path):
    """In evaluation mode to its last module, no parameter with a gradient, the global generators untouched."""
    ref, dist = images(2)
    model = Weighted().eval()
    before, tensors = generators(), {name: t.clone() for name, t in model.state_dict().items()}
    if text in {"facpa", "uap"}:
        learn(text, model, 1, memory(), Recipe(steps=2, crop=24, width=2), tmp_path / "f.safetensors", lambda *_: None)
    attack(text, model, ref, dist)
    assert generators() == before
    assert not any(module.training for module in model.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(t, tensors[name]) for name, t in model.state_dict().items())


@pytest.mark.parametrize("text", SMALL)
@pytest.mark.parametrize("limit", [1, 7, 15])
def test_a_limit_on_queries_stops_every_search_cleanly(text, limit):
    """No more passes than allowed, said so where it was stopped, and still feasible and no worse than clean."""
    ref, dist = images(3)
    result = load_attack(text).run(Objective(Wavy(), ref), dist, EPS, limits=Limits(max_queries=limit))
    free = load_attack(text).run(Objective(Wavy(), ref), dist, EPS)
    assert (result.cost.forwards <= limit).all()
    assert torch.equal(result.cut, free.cost.forwards > limit)
    assert (result.attacked_score <= result.clean_score).all()
    assert (result.attacked_score >= free.attacked_score - 1e-3 * free.attacked_score).all() or "cw-min" in text
    if not result.cut.any():
        assert torch.equal(result.adversarial, free.adversarial)
    alone = load_attack(text).run(Objective(Wavy(), ref[1:2]), dist[1:2], EPS, 0, ["1"], Limits(max_queries=limit))
    assert torch.equal(alone.adversarial[0], result.adversarial[1])


@pytest.mark.parametrize("text", SMALL + L2)
def test_batch_of_eight_equals_eight_batches_of_one_bit_for_bit(text):
    """A sample's result does not depend on its neighbours, nor on their order."""
    ref, dist = images(8)
    ids = [f"s{i}" for i in range(8)]
    together = attack(text, Wavy(), ref, dist, ids=ids)
    order = torch.tensor([3, 7, 1, 0, 6, 2, 5, 4])
    shuffled = attack(text, Wavy(), ref[order], dist[order], ids=[ids[i] for i in order])
    assert torch.equal(shuffled.adversarial, together.adversarial[order])
    for i in range(8):
        alone = attack(text, Wavy(), ref[i : i + 1], dist[i : i + 1], ids=[ids[i]])
        assert torch.equal(alone.adversarial[0], together.adversarial[i])


DRAWING = ("pgd:", "square", "nes", "parsimonious", "torchattacks")


@pytest.mark.parametrize("text", SMALL + L2)
def test_random_numbers_follow_from_seed_and_id_alone(text):
    """The same seed repeats whatever was drawn elsewhere; another one differs where the attack draws at all."""
    ref, dist = images()
    first = attack(text, Wavy(), ref, dist, seed=1)
    torch.rand(3)
    again, other = (attack(text, Wavy(), ref, dist, seed=seed) for seed in (1, 2))
    assert torch.equal(first.adversarial, again.adversarial)
    assert torch.equal(first.last_score, again.last_score)
    if text.startswith(DRAWING):  # of others, the best may be from a start that is the image itself
        assert not torch.equal(first.adversarial, other.adversarial)


@pytest.mark.parametrize(
    ("text", "forwards", "backwards"),
    [("fgsm", 1, 1), ("bim:steps=3", 3, 3), ("pgd:steps=3,restarts=2", 6, 6), ("apgd:steps=8,restarts=2", 16, 16),
     ("cw:steps=5", 5, 5), ("square:queries=20", 20, 0), ("autoattack:quick", 300, 50), ("mifgsm:steps=3", 3, 3),
     ("pgd-adam:steps=4", 4, 4), ("square:queries=20,norm=l2", 20, 0), ("autoattack:quick,norm=l2", 275, 25),
     ("nes:queries=21", 20, 0), ("parsimonious:queries=40,block=4", 40, 0), ("korhonen:steps=4", 4, 4),
     ("perceptual:steps=2,bisections=2", 9, 6), ("cw-min:searches=2,steps=4", 18, 18), ("facpa", 0, 0), ("uap", 0, 0)],
)  # fmt: skip
def test_cost_is_counted_exactly(text, forwards, backwards):
    """Passes per sample of the search, the harness's own apart."""
    ref, dist = images()
    result = attack(text, Wavy(), ref, dist)
    assert result.cost.forwards.tolist() == [forwards] * 4
    assert result.cost.backwards.tolist() == [backwards] * 4


def test_stronger_attacks_are_stronger_on_a_rugged_score():
    """APGD beats PGD beats FGSM on at least 95 % of images."""
    ref, dist = images(40)
    fgsm, pgd, apgd = (
        attack(t, Wavy(), ref, dist).attacked_score for t in ("fgsm", "pgd:steps=40,alpha=1/255", "apgd:steps=100")
    )
    assert ((pgd <= fgsm + 1e-3).float().mean()) >= 0.95
    assert ((apgd <= pgd + 1e-3).float().mean()) >= 0.95


def generators():
    """The states of the three global generators."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 (what others draw from)
    return torch.get_rng_state().tolist(), (name, keys.tolist(), *rest), python_random.getstate()


class Weighted(Wavy):
    """The same with a frozen batch norm before it: parameters and statistics that an attack must not train."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)

    def compare(self, reference, dist):
        return super().compare(reference, self.norm(dist))


@dataclass(frozen=True)
class Careless(Attack):
    """Returns an image outside the ball, full of NaN in one sample, having tried a good one."""

    name = "careless"
    access = "white-box"
    paper = "none"

    def _search(self, search, x, ball, random):
        search.value(ball.high)
        search.value(x + 1)
        last = x + 1
        last[0] = torch.nan
        return last


def test_a_careless_author_cannot_leave_the_ball():
    """What `run` returns is feasible and the best of what was tried."""
    ref, dist = images()
    result = Careless().run(Objective(Linear(), ref), dist, EPS)
    assert float((result.adversarial - dist).abs().max()) <= EPS
    assert result.adversarial.isfinite().all()
    assert (result.attacked_score >= result.clean_score).all()


def test_every_registered_attack_is_tested_here():
    """A new attack must join the lists of this file; an L2 version is tested of each that has one."""
    assert {text.split(":")[0] for text in SMALL} == set(ATTACKS.builtins)
    assert {text.split(":")[0] for text, *_ in BUDGETS} | ELSEWHERE == set(ATTACKS.builtins)
    with_norm = {name for name in ATTACKS.builtins if any(field.name == "norm" for field in fields(ATTACKS.get(name)))}
    assert {text.split(":")[0] for text in L2} == with_norm - {"autoattack"}  # whose members these are
