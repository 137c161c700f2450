"""What every attack promises, whatever it does inside."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robustiqa.attacks import ATTACKS, load_attack
from robustiqa.attacks.autoattack import AutoAttack
from robustiqa.attacks.base import Attack
from robustiqa.attacks.budget import Linf
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.objective import Objective
from tests.toys import Broken, Constant, Linear, Wavy

EPS = 8 / 255
SMALL = ["fgsm", "bim:steps=3", "pgd:steps=3,restarts=2", "apgd:steps=8,restarts=2", "cw:steps=5", "square:queries=20",
         "autoattack:quick"]  # fmt: skip


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


@pytest.mark.parametrize("text", ["fgsm", "bim:steps=10", "pgd:steps=20", "apgd:steps=20"])
def test_gradient_attacks_reach_the_corner_that_a_linear_score_has_as_optimum(text):
    """The optimum of a linear score over the ball is known in closed form."""
    ref, dist = images()
    model = Linear()
    ball = Linf.around(dist, EPS)
    best = torch.where(model.weights(dist) > 0, ball.high, ball.low)
    result = attack(text, model, ref, dist)
    assert torch.allclose(result.attacked_score, model(ref, best), rtol=1e-5)


def test_stronger_attacks_are_stronger_on_a_rugged_score():
    """APGD beats PGD beats FGSM on at least 95 % of images."""
    ref, dist = images(40)
    fgsm, pgd, apgd = (
        attack(t, Wavy(), ref, dist).attacked_score for t in ("fgsm", "pgd:steps=40,alpha=1/255", "apgd:steps=100")
    )
    assert ((pgd <= fgsm + 1e-3).float().mean()) >= 0.95
    assert ((apgd <= pgd + 1e-3).float().mean()) >= 0.95


def test_ensemble_is_never_weaker_than_a_member_on_any_image():
    """Members run alone with the same seed and ids find nothing better."""
    ref, dist = images(6)
    ids = [f"s{i}" for i in range(6)]
    ensemble = AutoAttack(version="quick")
    together = ensemble.run(Objective(Wavy(), ref), dist, EPS, 0, ids).attacked_score
    for member in ensemble.members:
        alone = member.run(Objective(Wavy(), ref), dist, EPS, 0, ids).attacked_score
        assert (together <= alone).all(), member.name


def test_monotone_transform_of_the_score_gives_the_same_iterates():
    """For sign-gradient steps every strictly monotone loss of one score is one attack."""

    class Cubed(Wavy):
        def compare(self, reference, dist):
            return super().compare(reference, dist) ** 3

    ref, dist = images()
    plain, cubed = (attack("apgd:steps=15", m, ref.double(), dist.double()) for m in (Wavy(), Cubed()))
    assert torch.allclose(plain.adversarial, cubed.adversarial)


def test_zero_gradients_are_counted_and_leave_the_image():
    """A constant score gives dead gradients, no exception, and the clean image back."""
    ref, dist = images()
    result = attack("pgd:steps=3", Constant(), ref, dist)
    assert result.cost.dead.tolist() == [3] * 4
    assert torch.equal(result.adversarial, dist)


def test_non_finite_scores_never_win():
    """Candidates that score NaN are not taken, whatever their neighbours do."""
    ref, dist = images()
    dim = dist * 0.9
    result = attack("bim:steps=30,alpha=0.01", Broken(), ref, dim)
    assert result.attacked_score.isfinite().all()


def test_batch_with_a_non_finite_clean_score_survives():
    """A NaN clean score is reported as such; the other samples are attacked."""
    ref, dist = images(2)
    dist = torch.stack((dist[0] * 0.5, dist[1] * 0.2 + 0.75))
    result = attack("square:queries=30", Broken(), ref, dist)
    assert result.clean_score.isfinite().tolist() == [True, False]
    assert result.attacked_score[0] > result.clean_score[0]


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


def test_oblivious_evaluation_follows_one_model_and_reports_another():
    """Gradients come from the attacked model, scores from the evaluated one."""
    ref, dist = images()
    linear, wavy = Linear(), Wavy()
    result = load_attack("fgsm").run(Objective(linear, ref, score_with=wavy), dist, EPS)
    assert torch.equal(result.clean_score, wavy(ref, dist))
    assert (linear(ref, result.adversarial) > linear(ref, dist)).all()


def test_index_pairs_every_candidate_with_its_own_reference():
    """Any subset in any order scores as the whole batch does."""
    ref, dist = images(5)
    objective = Objective(Wavy(), ref, [1, -1, 1, -1, 1])
    whole = objective.value(dist, torch.arange(5))
    index = torch.tensor([4, 1, 1, 0])
    assert torch.equal(objective.value(dist[index], index), whole[index])
    assert objective.cost.forwards.tolist() == [2, 3, 1, 1, 2]


@given(eps=st.integers(1, 255), seed=st.integers(0, 999))
@settings(max_examples=60)
def test_ball_is_exact_and_rounding_stays_inside(eps, seed):
    """Corners are within ε as float32 computes it; clean on the grid and ε = k/255 stays within ε when rounded."""
    _, dist = images(1, 8, seed)
    ball = Linf.around(dist, eps / 255)
    for corner in (ball.low, ball.high):
        assert float((corner - dist).abs().max()) <= eps / 255
        assert bool(ball.contains(corner, torch.tensor([0])).all())
    x = ball.low + (ball.high - ball.low) * torch.rand(dist.shape, generator=torch.Generator().manual_seed(seed))
    levels = (ball.round_8bit(x) * 255).round()
    assert int((levels - (dist * 255).round()).abs().max()) <= eps


@pytest.mark.parametrize("eps", [0, -0.1, 1.5, float("nan")])
def test_bad_eps_is_refused(eps):
    """ε is in (0, 1]."""
    ref, dist = images()
    with pytest.raises(InvalidInput, match="eps"):
        load_attack("fgsm").run(Objective(Linear(), ref), dist, eps)


@pytest.mark.parametrize(
    ("text", "error", "word"),
    [("pdg", UnknownName, "pgd"), ("pgd:step=3", UnknownName, "steps"), ("pgd:steps=0", InvalidInput, "steps"),
     ("pgd:steps=x", InvalidInput, "steps"), ("autoattack:fast", InvalidInput, "version"),
     ("square:queries=-1", InvalidInput, "queries")],
)  # fmt: skip
def test_bad_names_and_parameters_say_what_is_wrong(text, error, word):
    """Unknown names come with the nearest, bad values with the parameter."""
    with pytest.raises(error, match=word):
        load_attack(text)


def test_bad_directions_and_ids_are_refused():
    """Directions are up, down or signs; ids are distinct."""
    ref, dist = images()
    for direction in ("sideways", [1, 1], [1, 0, 1, 1]):
        with pytest.raises(InvalidInput, match="direction"):
            Objective(Linear(), ref, direction)
    with pytest.raises(InvalidInput, match="ids"):
        load_attack("fgsm").run(Objective(Linear(), ref), dist, EPS, ids=["a", "a", "b", "c"])


def test_every_registered_attack_is_tested_here():
    """A new attack must join the list of this file."""
    assert {text.split(":")[0] for text in SMALL} == set(ATTACKS.builtins)
