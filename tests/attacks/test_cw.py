"""C&W's change of variables inside the ball."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.budget import Linf
from robustiqa.core.errors import InvalidInput
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Constant, Linear, Wavy


def test_every_iterate_is_feasible_without_the_harness():
    """The sigmoid keeps it in the ball and in [0, 1]."""
    ref, dist = images()
    model = Watched(Wavy())
    attack("cw:steps=30,lr=2", model, ref, dist)
    for x in model.seen[:-1]:  # the last is the 8-bit image
        assert float((x - dist).abs().max()) <= EPS
        assert 0 <= float(x.min()) <= float(x.max()) <= 1


def test_linear_score_is_driven_towards_its_corner():
    """99 % of what the ball allows, in 100 steps."""
    ref, dist = images()
    model, ball = Linear(), Linf.around(dist, EPS)
    result = attack("cw", model, ref, dist)
    best = model(ref, torch.where(model.weights(dist) > 0, ball.high, ball.low))
    share = (result.attacked_score - result.clean_score) / (best - result.clean_score)
    assert (share >= 0.99).all()
    assert (share <= 1 + 1e-5).all()


def test_quadratic_distance_is_minimised():
    """To within 1 % of the way to the closed-form optimum."""
    ref, dist = images()
    result = attack("cw:steps=200", Quadratic(), ref, dist)
    best = Quadratic()(ref, Linf.around(dist, EPS).project(ref))
    assert ((result.attacked_score - best) <= 0.01 * (result.clean_score - best)).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_pixels_on_the_edge_of_the_unit_range_can_move(value):
    """There the sigmoid has no slope of its own."""
    dist = torch.full((1, 3, 6, 6), value)
    ref = torch.full_like(dist, 0.5)
    moved = (attack("cw:steps=60", Quadratic(), ref, dist).adversarial - dist).abs()
    assert float(moved.min()) > 0.9 * EPS


@pytest.mark.parametrize("steps", [1, 7])
def test_cost_is_one_pass_each_way_per_step(steps):
    """Per sample, forward and backward."""
    ref, dist = images()
    cost = attack(f"cw:steps={steps}", Wavy(), ref, dist).cost
    assert cost.forwards.tolist() == cost.backwards.tolist() == [steps] * 3


def test_constant_score_leaves_the_image():
    """Dead gradients do no harm; they are counted."""
    ref, dist = images()
    result = attack("cw:steps=5", Constant(), ref, dist)
    assert torch.equal(result.adversarial, dist)
    assert result.cost.dead.tolist() == [5] * 3


@pytest.mark.parametrize(
    ("parameters", "said"), [({"lr": 0}, "lr=0"), ({"lr": -1.0}, r"lr=-1\.0"), ({"steps": 0}, "steps=0")]
)
def test_bad_parameters_are_refused_with_their_value(parameters, said):
    """A rate of 0 would do nothing, silently."""
    with pytest.raises(InvalidInput, match=f"cw: {said}"):
        load_attack("cw", **parameters)
