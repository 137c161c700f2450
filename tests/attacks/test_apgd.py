"""APGD: the paper's schedule, its strength, and its indifference to monotone losses."""

import math

import pytest
import torch

from robustiqa.attacks.apgd import APGD, _Progress, checkpoints
from robustiqa.attacks.budget import Linf
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Cliff, Linear, Wavy


def test_checkpoints_are_the_papers():
    """p = 0, .22, .41, .57, .70, .80, .87, .93, .99 of the budget."""
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints(1000) == [220, 410, 570, 700, 800, 870, 930, 990]


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 25])
def test_short_budgets_have_valid_checkpoints(steps):
    """Rising, at least 1, within the budget."""
    points = checkpoints(steps)
    assert points == sorted(set(points))
    assert 1 <= points[0] <= points[-1] <= steps


def test_linear_score_is_driven_to_its_corner():
    """Exactly, within a few steps."""
    ref, dist = images()
    ball = Linf.around(dist, EPS)
    corner = torch.where(Linear().weights(dist) > 0, ball.high, ball.low)
    assert torch.equal(attack("apgd:steps=10", Linear(), ref, dist).adversarial, corner)


def test_halving_steps_come_nearer_to_a_quadratic_optimum_than_constant_ones():
    """Step sizes adapt: PGD's last digit is its step, APGD's is not."""
    ref, dist = images()
    ref = (dist + (ref - 0.5) * 0.03).clamp(0, 1)  # the optimum lies inside the ball and off PGD's lattice
    apgd = attack("apgd:steps=100", Quadratic(), ref, dist).attacked_score
    pgd = attack("pgd:steps=100,random_start=false", Quadratic(), ref, dist).attacked_score
    assert (apgd < 0.1 * pgd).all()


def test_strength_is_ordered_on_a_nonconvex_score():
    """APGD >= PGD >= FGSM on at least 95 % of images, all from the clean image, and APGD strictly on half of them."""
    ref, dist = images(60)
    # one random start may lie in a worse basin than the image itself: there PGD owes FGSM nothing
    texts = ("fgsm", "pgd:steps=40,alpha=1/255,random_start=false", "apgd:steps=100")
    fgsm, pgd, apgd = (attack(text, Wavy(), ref, dist).attacked_score for text in texts)
    assert float((pgd <= fgsm).float().mean()) >= 0.95
    assert float((apgd <= pgd).float().mean()) >= 0.95
    assert float((apgd < pgd).float().mean()) >= 0.5


class Transformed(Wavy):
    """A strictly increasing function of another model's score."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def compare(self, reference, dist):
        return self.transform(super().compare(reference, dist))


@pytest.mark.parametrize(
    "transform",
    [lambda s: 3 * s - 7, torch.log1p, lambda s: (s / 100) ** 3, lambda s: torch.nn.functional.softplus(s / 100)],
    ids=["affine", "log", "cube", "cross-entropy of two logits"],
)
def test_monotone_losses_give_the_same_iterates(transform):
    """A.0: every iterate of the search is the same, not the result alone."""
    ref, dist = (x.double() for x in images())
    plain, other = Watched(Wavy()), Watched(Transformed(transform))
    attack("apgd:steps=40,restarts=2", plain, ref, dist)
    attack("apgd:steps=40,restarts=2", other, ref, dist)
    assert len(plain.seen) == len(other.seen) > 80
    for ours, theirs in zip(plain.seen, other.seen, strict=True):
        assert torch.equal(ours, theirs)


def test_saturated_loss_is_not_the_same_attack_and_is_seen():
    """Where a transform has lost its slope the iterates stay and dead gradients tell."""
    ref, dist = images()
    result = attack("apgd:steps=10", Transformed(lambda s: torch.sigmoid(s + 200)), ref, dist)
    assert result.cost.dead.tolist() == [10] * 3
    assert torch.equal(result.adversarial, dist)


def test_steps_halve_on_either_of_the_papers_conditions():
    """Too few rises, or a best that has not moved since a checkpoint that left the size alone."""
    progress = _Progress(torch.zeros(4))
    size = torch.ones(4)

    def checkpoint(rises, best):
        for step in range(4):
            progress.note(torch.tensor(rises) > step)
        return progress.stalled(torch.tensor(best), size).tolist()

    assert checkpoint([2, 3, 4, 4], [1.0, 1.0, 1.0, 0.0]) == [True, False, False, False]
    assert checkpoint([4, 3, 3, 2], [1.0, 1.0, 2.0, 5.0]) == [False, True, False, True]


def test_nan_scores_do_not_stop_the_search():
    """A sample that steps into NaN comes back to its best and still ends above its clean score."""
    ref, dist = images()
    dim = dist * 0.2 + 0.38  # means just below one half: a full step is NaN
    result = attack("apgd:steps=30", Cliff(), ref, dim)
    assert (result.clean_score < 0.5).all()
    assert result.attacked_score.isfinite().all()
    assert (result.attacked_score > result.clean_score).all()


@pytest.mark.parametrize(
    ("text", "passes"), [("apgd:steps=1", 1), ("apgd:steps=8", 8), ("apgd:steps=8,restarts=3", 24)]
)
def test_cost_is_steps_times_restarts(text, passes):
    """Forward and backward passes per sample."""
    ref, dist = images()
    cost = attack(text, Wavy(), ref, dist).cost
    assert cost.forwards.tolist() == cost.backwards.tolist() == [passes] * 3


def test_step_sizes_adapt_per_sample():
    """A sample that stalls does not slow its neighbour: together is as alone, bit for bit."""
    ref, dist = images(8)
    signs = torch.tensor([1.0, -1] * 4)
    together = attack("apgd:steps=30", Wavy(), ref, dist, signs)
    for i in range(8):
        alone = attack("apgd:steps=30", Wavy(), ref[i : i + 1], dist[i : i + 1], signs[i : i + 1])
        assert torch.equal(alone.adversarial[0], together.adversarial[i])
        assert torch.equal(alone.attacked_score[0], together.attacked_score[i])


def test_every_evaluated_iterate_is_in_the_ball():
    """Momentum does not leave it either."""
    ref, dist = images()
    model = Watched(Wavy())
    attack("apgd:steps=30,restarts=2", model, ref, dist)
    distances = [float((x - dist).abs().max()) for x in model.seen[:-1]]  # the last is the 8-bit image
    assert max(distances) <= EPS
    assert math.isclose(max(distances), EPS, rel_tol=1e-5)


def test_passes_add_up_over_the_runs_of_one_objective():
    """The objective counts on; each result holds its own run's passes and keeps them."""
    ref, dist = images()
    objective = Objective(Wavy(), ref)
    results = []
    for total in (4, 8):
        results.append(APGD(steps=4).run(objective, dist, EPS))
        assert objective.cost.forwards.tolist() == [total] * 3
    assert [result.cost.forwards.tolist() for result in results] == [[4] * 3] * 2
