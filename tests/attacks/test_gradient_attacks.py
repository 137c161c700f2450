"""FGSM, BIM and PGD against formulas and closed-form optima."""

import pytest
import torch

from robustiqa.attacks.budget import BALLS, Linf
from robustiqa.attacks.pgd import PGD
from robustiqa.core.objective import Objective
from robustiqa.core.random import RandomStreams
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Cliff, Constant, Linear, Wavy


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("text", ["fgsm", "bim:steps=9", "pgd:steps=10", "pgd:steps=20,alpha=1/255"])
def test_linear_score_is_driven_to_its_corner(text, direction):
    """The optimum of a linear score over the ball is the corner of its weights' signs, and is reached exactly."""
    ref, dist = images()
    ball, model = Linf.around(dist, EPS), Linear()
    rising = model.weights(dist).expand_as(dist) > 0
    corner = torch.where(rising == (direction == "up"), ball.high, ball.low)
    assert torch.equal(attack(text, model, ref, dist, direction).adversarial, corner)


@pytest.mark.parametrize("text", ["bim:steps=16", "pgd:steps=24,alpha=1/255,random_start=false"])
def test_quadratic_distance_is_minimised_to_within_a_step(text):
    """The optimum is the reference, projected into the ball; constant steps end within one step of it."""
    ref, dist = images()
    result = attack(text, Quadratic(), ref, dist)
    optimum = Linf.around(dist, EPS).project(ref)
    assert float((result.adversarial - optimum).abs().max()) <= 1.001 / 255


def test_fgsm_is_its_formula():
    """One ε along the sign of the analytic gradient, clipped."""
    ref, dist = images()
    result = attack("fgsm", Quadratic(), ref, dist, "down")
    expected = (dist.double() + EPS * (dist - ref).double().sign()).clamp(0, 1)
    assert torch.allclose(result.adversarial.double(), expected, atol=1e-7)


def test_bim_is_pgd_without_its_random_start():
    """The same steps from the same place."""
    ref, dist = images()
    bim = attack("bim:steps=7,alpha=2/255", Wavy(), ref, dist)
    pgd = attack("pgd:steps=7,alpha=2/255,random_start=false", Wavy(), ref, dist)
    assert torch.equal(bim.last_score, pgd.last_score)
    assert torch.equal(bim.adversarial, pgd.adversarial)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_adam_is_torchs_adam_with_a_falling_rate_projected(norm):
    """Replayed with torch's own optimiser; the last step is a tenth of the first, and then there is none."""
    ref, dist = images()
    ball, x = BALLS[norm].around(dist, EPS), dist.clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=EPS, maximize=True)
    for step in range(10):
        adam.param_groups[0]["lr"] = EPS * (1 - step / 10)
        x.grad = Objective(Quadratic(), ref).value_and_grad(x.detach(), torch.arange(3))[1]
        adam.step()
        x.data = ball.project(x.data)
    result = attack(f"pgd-adam:steps=10,norm={norm}", Quadratic(), ref, dist)
    assert torch.allclose(result.last_score, Quadratic()(ref, x.detach()), rtol=1e-4)


def test_pgd_adam_settles_inside_the_ball_where_constant_steps_circle():
    """The reference lies within 3/255: with as many gradients its distance ends far below that of steps of 2/255."""
    ref, dist = images()
    near = (ref + (dist - ref).clamp(-3 / 255, 3 / 255)).clamp(0, 1)
    adam, pgd = (attack(t, Quadratic(), ref, near).last_score for t in ("pgd-adam:steps=30", "pgd:steps=30"))
    assert (adam < pgd / 30).all()


def test_pgd_starts_every_restart_at_a_new_point_of_the_ball():
    """The starts are those of the sample's streams."""
    ref, dist = images()
    model = Watched(Wavy())
    attack("pgd:steps=2,restarts=2", model, ref, dist, seed=5)
    ball, random = Linf.around(dist, EPS), RandomStreams(5, "pgd", ("0", "1", "2"))
    for position, restart in ((1, 0), (4, 1)):  # clean, start, step, settled, start, ...
        assert torch.equal(model.seen[position], ball.random_point(random.with_restart(restart)))


@pytest.mark.parametrize("text", ["pgd:steps=1", "pgd:steps=5", "apgd:steps=1", "apgd:steps=8"])
def test_more_restarts_are_never_weaker(text):
    """The first start is the same, and its last iterate counts too."""
    ref, dist = images(30)
    one, three = (attack(f"{text},restarts={n}", Wavy(), ref, dist).attacked_score for n in (1, 3))
    assert (three <= one).all()


def test_each_sample_follows_its_own_sign():
    """Raising one sample and lowering another in one batch is what separate runs do."""
    ref, dist = images(4)
    signs = [1, -1, -1, 1]
    mixed = attack("pgd:steps=5", Wavy(), ref, dist, signs)
    up, down = (attack("pgd:steps=5", Wavy(), ref, dist, d) for d in ("up", "down"))
    for i, sign in enumerate(signs):
        assert torch.equal(mixed.adversarial[i], (up if sign > 0 else down).adversarial[i])
        assert sign * float(mixed.attacked_score[i] - mixed.clean_score[i]) < 0  # a distance: up lowers it


def test_dead_gradients_are_counted_per_sample():
    """Zero everywhere is dead for every step; a live sample beside has none."""
    ref, dist = images()
    assert attack("pgd:steps=3,restarts=2", Constant(), ref, dist).cost.dead.tolist() == [6, 6, 6]
    assert attack("pgd:steps=3,restarts=2", Wavy(), ref, dist).cost.dead.tolist() == [0, 0, 0]
    bright = torch.stack((dist[0] * 0.5, dist[1] * 0.2 + 0.75, dist[2] * 0.5))
    assert attack("bim:steps=4", Cliff(), ref, bright).cost.dead.tolist() == [0, 4, 0]


def test_global_random_state_is_neither_read_nor_written():
    """Another global seed changes nothing, and the state is as it was."""
    ref, dist = images()
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        results.append(attack("pgd:steps=2", Wavy(), ref, dist).adversarial)
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*results)


def test_float64_images_are_attacked_in_float64():
    """The ball is as exact there, and the result keeps its type."""
    ref, dist = (x.double() for x in images())
    result = PGD(steps=5).run(Objective(Wavy(), ref), dist, EPS)
    assert result.adversarial.dtype == torch.float64
    assert float((result.adversarial - dist).abs().max()) <= EPS
