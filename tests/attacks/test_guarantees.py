"""What every attack promises, whatever it does inside."""

from dataclasses import dataclass

import pytest
import torch

from robustiqa.attacks import ATTACKS, load_attack
from robustiqa.attacks.base import Attack
from robustiqa.core.objective import Objective
from tests.toys import Linear, Wavy

EPS = 8 / 255
SMALL = ["fgsm", "bim:steps=3", "pgd:steps=3,restarts=2", "apgd:steps=8,restarts=2", "cw:steps=5", "square:queries=20",
         "autoattack:quick", "torchattacks:apgd,steps=4", "art:pgd,steps=3"]  # fmt: skip


def images(count=4, size=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ref, dist = (torch.randint(0, 256, (count, 3, size, size), generator=generator).float() / 255 for _ in range(2))
    return ref, dist


def attack(text, model, ref, dist, direction="up", ids=None, seed=0):
    ids = ids or [f"s{i}" for i in range(len(ref))]
    return load_attack(text).run(Objective(model, ref, direction), dist, EPS, seed, ids)


@pytest.mark.parametrize("text", SMALL)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_result_is_feasible_and_never_worse_than_clean(text, direction):
    """Within ε as Python compares it, within [0, 1], 8-bit on the grid, J at least clean."""
    ref, dist = images()
    model = Wavy()
    result = attack(text, model, ref, dist, direction)
    for x in (result.adversarial, result.adversarial_8bit):
        assert float(x.min()) >= 0
        assert float(x.max()) <= 1
    assert float((result.adversarial - dist).abs().max()) <= EPS
    assert float((result.adversarial_8bit - dist).abs().max()) <= EPS + 1e-6
    levels = result.adversarial_8bit * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    sign = {"up": -1, "down": 1}[direction]
    assert (sign * (result.attacked_score - result.clean_score) >= 0).all()
    assert torch.equal(result.attacked_score, model(ref, result.adversarial))


@pytest.mark.parametrize("text", SMALL)
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


@pytest.mark.parametrize("text", ["pgd:steps=2", "square:queries=5", "autoattack:quick"])
def test_random_numbers_follow_from_seed_and_id_alone(text):
    """The same seed repeats, another differs, and the global generator is not touched."""
    ref, dist = images()
    before = torch.get_rng_state()
    first, again = (attack(text, Wavy(), ref, dist, seed=1) for _ in range(2))
    other = attack(text, Wavy(), ref, dist, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.adversarial, again.adversarial)
    if text != "autoattack:quick":  # its winner may be a member that draws nothing
        assert not torch.equal(first.adversarial, other.adversarial)


@pytest.mark.parametrize(
    ("text", "forwards", "backwards"),
    [("fgsm", 1, 1), ("bim:steps=3", 3, 3), ("pgd:steps=3,restarts=2", 6, 6), ("apgd:steps=8,restarts=2", 16, 16),
     ("cw:steps=5", 5, 5), ("square:queries=20", 20, 0), ("autoattack:quick", 300, 50)],
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
    """A new attack must join the list of this file."""
    assert {text.split(":")[0] for text in SMALL} == set(ATTACKS.builtins)
