"""The inner attack: what it raises, where it may go, and what it leaves alone."""

import pytest
import torch
from pydantic import ValidationError

from robustiqa.attacks.fgsm import FGSM
from robustiqa.attacks.pgd import PGD
from robustiqa.core.objective import Objective
from robustiqa.training.adversarial.inner import Inner
from robustiqa.training.losses import regression_loss
from tests.training.adversarial.cases import Bend, batch, learner

EPS = 8 / 255


def score(x, data):
    with torch.no_grad():
        return Bend()(data.ref, x)


@pytest.mark.parametrize("goal", ["loss", "up", "down", "random"])
def test_it_stays_in_the_ball_and_the_box_and_leaves_parameters_alone(goal):
    """Exactly, in float32; gradients that were there stay as they were."""
    data, student = batch(), learner()
    student.model.gain.grad = torch.tensor(7.0)
    attacked = Inner(goal=goal).attack(student, data, 0.7, 0, 0)
    assert (attacked - data.dist).abs().max() <= EPS
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert not torch.equal(attacked, data.dist)
    assert not attacked.requires_grad
    assert student.model.gain.grad == 7
    assert student.model.base.grad is None


def test_each_goal_raises_what_it_says():
    """The reported quality up, down, or either by sample; or the regression loss of the batch."""
    data, clean = batch(32), score(batch(32).dist, batch(32))
    changes = {g: score(Inner(goal=g).attack(learner(), data, 0.7, 0, 0), data) - clean for g in ("up", "down", "random")}
    assert (changes["up"] > 0).all()
    assert (changes["down"] < 0).all()
    assert 4 <= (changes["random"] > 0).sum() <= 28
    assert torch.equal(changes["random"].abs() > 0, torch.ones(32, dtype=torch.bool))
    attacked = Inner(goal="loss").attack(learner(), data, 0.7, 0, 0)
    assert regression_loss(score(attacked, data), data.label) > regression_loss(clean, data.label) + 0.05


def test_a_distance_is_lowered_where_quality_is_to_rise():
    """Up means quality, whichever way the score runs."""
    student, data = learner(), batch()
    student.model.info = Bend.info.__class__("bend", lower_better=True, paper="toy")
    attacked = Inner(goal="up").attack(student, data, 0.7, 0, 0)
    assert (score(attacked, data) < score(data.dist, data)).all()


@pytest.mark.parametrize(
    ("attack", "inner"),
    [
        (PGD(steps=5, random_start=False), Inner(steps=5, goal="up", random_start=False)),
        (FGSM(), Inner(steps=1, alpha=EPS, goal="up", random_start=False)),
    ],
)
def test_it_ends_where_the_attacks_of_that_name_end(attack, inner):
    """The benchmark's PGD and FGSM report the score of their last iterate."""
    data = batch()
    result = attack.run(Objective(Bend().frozen(), data.ref, "up"), data.dist, EPS)
    assert torch.allclose(score(inner.attack(learner(), data, 0.7, 0, 0), data), result.last_score, atol=1e-5)


def test_it_is_a_function_of_seed_and_step():
    """A resumed run repeats it; another step or seed draws other starts."""
    data = batch()
    first, again, step, seed = (
        Inner(goal="random").attack(learner(), data, 0.7, *which) for which in ((3, 0), (3, 0), (4, 0), (3, 1))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, step)
    assert not torch.equal(first, seed)


def test_eps_grows_to_its_full_size():
    """A quarter in the first of four steps; all of it from the fourth on."""
    inner, data = Inner(warmup=4, goal="up"), batch()
    sizes = [float((inner.attack(learner(), data, 0.7, step, 0) - data.dist).abs().max()) for step in (0, 1, 3, 9)]
    assert sizes == pytest.approx([EPS / 4, EPS / 2, EPS, EPS], rel=1e-5)


def test_a_gradient_that_is_not_finite_moves_nothing():
    """NaN in one image does not spread to its neighbours."""

    class Broken(Bend):
        def compare(self, reference, dist):
            return super().compare(reference, dist) * torch.where(reference.image[:, 0, 0, 0] > 0.5, torch.nan, 1.0)

    data = batch()
    bad = data.ref[:, 0, 0, 0] > 0.5
    assert 0 < bad.sum() < len(bad)
    attacked = Inner(goal="up", random_start=False).attack(learner(Broken()), data, 0.7, 0, 0)
    assert torch.equal(attacked[bad], data.dist[bad])
    assert (attacked[~bad] != data.dist[~bad]).any()


def test_radii_are_written_as_in_the_papers():
    """8/255 as a text; out of (0, 1] is refused."""
    assert Inner(eps="8/255").eps == EPS
    with pytest.raises(ValidationError, match="Did you mean 8/255"):
        Inner(eps="8")
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Inner(alpha=2)
