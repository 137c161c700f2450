"""Known defects of the libraries, each shown in the library itself, and that what we report has not got it."""

import time

import numpy as np
import pytest
import torch
import torchattacks
from art.attacks import evasion
from art.estimators.regression import PyTorchRegressor
from art.exceptions import EstimatorError
from torch import nn

from robustiqa.attacks import load_attack
from robustiqa.attacks.autoattack import MEMBERS
from robustiqa.core.errors import InvalidInput
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Wavy


class Logits(nn.Module):
    """The wrapper that one writes first: two logits of a distance to fixed references, one batch of them."""

    def __init__(self, ref, threshold=0.0, factor=1.0):
        super().__init__()
        self.ref, self.threshold, self.factor, self.calls = ref, threshold, factor, 0
        self.anchor = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, x):
        self.calls += len(x)
        u = self.factor * (self.threshold - Quadratic().compare(type("R", (), {"image": self.ref}), x))
        return torch.stack((-u, u), 1)


def zeros(count):
    return torch.zeros(count, dtype=torch.int64)


def half_saturated(count=2):
    """Pairs whose distorted image is 0 or 1 in its left half."""
    ref, dist = images(count, 8)
    dist[..., :4] = (dist[..., :4] > 0.5).float()
    return ref, dist


def test_cw_leaves_black_and_white_pixels_alone_and_ours_does_not():
    """atanh of -1 and 1 is infinite: those pixels have no gradient there."""
    ref, dist = half_saturated()
    distance = Quadratic()(ref, dist)
    theirs = torchattacks.CW(Logits(ref, threshold=float(distance.min()) * 0.9), c=10, steps=20, lr=0.05)(dist, zeros(2))
    assert not (theirs - dist)[..., :4].any()
    assert (theirs - dist)[..., 4:].any()
    ours = attack("cw:steps=20", Quadratic(), ref, dist).adversarial
    assert (ours - dist)[..., :4].any()


def test_cw_returns_the_clean_image_where_no_label_flips_and_ours_its_best():
    """Through two logits its number is the threshold that one chose."""
    ref, dist = images(2, 8)
    theirs = torchattacks.CW(Logits(ref, threshold=-1.0), c=10, steps=10)(dist, zeros(2))
    assert torch.equal(theirs, dist)
    engine = attack("torchattacks:cw,steps=10", Quadratic(), ref, dist)
    assert torch.equal(engine.last_score, engine.clean_score)
    assert (engine.attacked_score < engine.clean_score).all()
    assert (attack("cw:steps=10", Quadratic(), ref, dist).attacked_score < engine.clean_score).all()


class Bumpy(nn.Module):
    """Logits whose cost falls for dark images under Adam and rises for bright ones: the first logit grows with w."""

    def __init__(self):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        mean = x.flatten(1).mean(1)
        wall = torch.where(mean > 0.5, 1000 * (mean - 0.5).detach() * self.calls, -0.0 * mean)
        u = -0.2 - mean - wall
        return torch.stack((-u, u), 1)


def test_cw_stops_a_batch_on_its_summed_cost_and_engines_run_one_image_per_call():
    """A neighbour whose cost rises ends the other's search as well."""
    calm, wild = torch.full((1, 3, 4, 4), 0.2), torch.full((1, 3, 4, 4), 0.9)
    alone, together = Bumpy(), Bumpy()
    torchattacks.CW(alone, c=1000, steps=20)(calm, zeros(1))
    torchattacks.CW(together, c=1000, steps=20)(torch.cat((calm, wild)), zeros(2))
    assert alone.calls == 20
    assert together.calls < 10
    ref, dist = images(3, 8)
    batch = attack("torchattacks:cw,steps=20", Wavy(), ref, dist)
    for i in range(3):
        single = load_attack("torchattacks:cw,steps=20").run(
            Objective(Wavy(), ref[i : i + 1]), dist[i : i + 1], EPS, ids=[str(i)]
        )
        assert torch.equal(single.cost.forwards, batch.cost.forwards[i : i + 1])
        assert torch.equal(single.adversarial[0], batch.adversarial[i])


def test_their_autoattack_runs_ten_steps_and_ours_a_hundred():
    """Its APGD is built without a number of steps; the default is 10."""
    ensemble = torchattacks.AutoAttack(Logits(images(1)[0]), n_classes=2)
    assert ensemble._autoattack.attacks[0].steps == 10
    assert MEMBERS["standard"][0].steps == 100
    assert load_attack("torchattacks:apgd").steps == 100


def test_their_autoattack_fails_on_two_classes_and_dlr_does_too():
    """Both sort logits and take the third; a score has two."""
    ref, dist = images(1, 8)
    with pytest.raises(IndexError):
        torchattacks.AutoAttack(Logits(ref, threshold=-1.0), n_classes=2)(dist, zeros(1))
    with pytest.raises(IndexError):
        torchattacks.APGD(Logits(ref), loss="dlr")(dist, zeros(1))
    assert (attack("autoattack:quick", Quadratic(), ref, dist).attacked_score < Quadratic()(ref, dist)).all()


class OneSided(Logits):
    """The score against a constant, as a threshold is often written."""

    def forward(self, x):
        first, _ = super().forward(x).unbind(1)
        return torch.stack((first, torch.zeros_like(first)), 1)


@pytest.mark.parametrize(("margin", "dead"), [(10.0, False), (17.5, True)])
def test_cross_entropy_is_zero_with_its_gradient_from_a_margin_of_seventeen(margin, dead):
    """APGD compares losses that are all 0, FGSM returns what it was given; J itself and our logits cannot saturate."""
    ref, dist = images(1, 8)
    logits = OneSided(ref, factor=margin / float(Quadratic()(ref, dist)))
    assert (float(nn.functional.cross_entropy(logits(dist), zeros(1))) == 0) == dead
    assert torch.equal(torchattacks.FGSM(logits, eps=EPS)(dist, zeros(1)), dist) == dead
    engine = attack("torchattacks:fgsm", Quadratic(), ref, dist)
    assert float(engine.attacked_score) == pytest.approx(float(attack("fgsm", Quadratic(), ref, dist).attacked_score))
    assert engine.cost.saturated.tolist() == [0]


@pytest.mark.parametrize("name", ["Square", "MultiAttack"])
def test_sub_batches_mispair_a_wrapper_that_holds_its_references_and_engines_cannot(name):
    """What is fooled is dropped from the batch, and the references are not."""
    ref, dist = images(3, 8)
    distances = Quadratic()(ref, dist)
    logits = Logits(ref, threshold=float(distances.sort().values[:2].mean()))  # the nearest is fooled at once
    square = torchattacks.Square(logits, n_queries=3, eps=EPS)
    broken = square if name == "Square" else torchattacks.MultiAttack([torchattacks.FGSM(logits, eps=1e-5), square])
    with pytest.raises(RuntimeError, match="size of tensor"):
        broken(dist, zeros(3))
    model = Watched(Quadratic())
    load_attack("torchattacks:square,queries=12").run(Objective(model, ref), dist, EPS)
    assert {len(seen) for seen in model.seen} == {1, 3}  # the search's, and the harness's whole batch


def test_apgd_and_square_return_the_clean_image_where_nothing_is_fooled_and_we_keep_the_best():
    """Their last score is the clean one, our attacked score is not."""
    ref, dist = images(1, 8)
    logits = Logits(ref, threshold=-1.0)
    for theirs in (torchattacks.APGD(logits, steps=5, eps=EPS), torchattacks.Square(logits, n_queries=20, eps=EPS)):
        assert torch.equal(theirs(dist, zeros(1)), dist)
    for text in ("torchattacks:apgd,steps=5", "torchattacks:square,queries=30"):
        result = attack(text, Quadratic(), ref, dist)
        assert float(result.attacked_score) < float(result.last_score) == float(result.clean_score)


def test_without_a_seed_they_take_the_time_and_ours_never():
    """Square's seed becomes a fraction of a second, which torch refuses or rounds."""
    ref, dist = images(1, 8)
    square = torchattacks.Square(Logits(ref, threshold=-1.0), n_queries=3, seed=None)
    square.init_hyperparam(dist)
    assert abs(square.seed - time.time()) < 60
    assert torch.equal(*(attack("square:queries=9", Wavy(), ref, dist).adversarial for _ in range(2)))


def test_they_put_frozen_batch_norm_into_training_and_engines_never_hold_the_model():
    """A module whose parts were frozen comes back in training as a whole."""
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(192, 2))
    network.train()
    network[0].eval()
    torchattacks.FGSM(network)(torch.rand(2, 3, 8, 8), zeros(2))
    assert network[0].training
    model = Watched(Wavy())
    model.part = nn.BatchNorm2d(3).eval()
    ref, dist = images(1, 8)
    model.train()
    model.part.eval()
    load_attack("torchattacks:fgsm").run(Objective(model, ref), dist, EPS)
    load_attack("art:fgm").run(Objective(model, ref), dist, EPS)
    assert model.training
    assert not model.part.training


def regressor(ref, model):
    class One(nn.Module):
        def forward(self, x):
            return model.compare(type("R", (), {"image": ref}), x)

    return PyTorchRegressor(One(), loss=lambda j, _: -j.sum(), input_shape=(3, 8, 8), clip_values=(0, 1), device_type="cpu")


def test_art_refuses_regressors_for_apgd_autoattack_and_cw_and_ours_are_made_for_scores():
    """They want classes."""
    ref, dist = images(1, 8)
    estimator = regressor(ref, Quadratic())
    for refused in (evasion.AutoProjectedGradientDescent, evasion.AutoAttack, evasion.CarliniL2Method):
        with pytest.raises(EstimatorError):
            refused(estimator)
    with pytest.raises(ValueError, match="Random initialisation"):
        evasion.ProjectedGradientDescent(estimator, num_random_init=1, verbose=False).generate(
            dist.numpy(), y=np.zeros((1, 1), np.float32)
        )
    for text in ("apgd:steps=3", "autoattack:quick", "cw:steps=3", "pgd:steps=3"):
        assert float(attack(text, Quadratic(), ref, dist).attacked_score) < float(Quadratic()(ref, dist))


def test_art_square_pays_three_calls_an_iteration_and_queries_are_what_they_say():
    """``max_iter`` is not the number of queries; ours and the engine's ``queries`` are."""
    ref, dist = images(1, 8)
    model = Watched(Quadratic())
    estimator = regressor(ref, model)
    evasion.SquareAttack(
        estimator,
        max_iter=10,
        p_init=0.3,
        loss=lambda x, _: estimator.predict(x)[:, 0],
        adv_criterion=lambda p, _: np.zeros(len(p), dtype=bool),
        verbose=False,
    ).generate(dist.numpy(), y=np.zeros((1, 1), np.float32))
    assert len(model.seen) == 3 * 10 + 3
    for text in ("art:square,queries=33,p_init=0.3", "square:queries=33"):
        assert attack(text, Quadratic(), ref, dist).cost.forwards.tolist() == [33]


def test_art_square_cannot_place_a_window_as_wide_as_the_image_and_says_so_here():
    """It draws from an empty range; ours clips the window to the image."""
    ref, dist = (x[..., :3, :] for x in images(1, 16))
    with pytest.raises(InvalidInput, match="window of 6 pixels in an image of 3 x 16; lower p_init"):
        attack("art:square,queries=12", Quadratic(), ref, dist)
    assert attack("square:queries=12", Quadratic(), ref, dist).cost.forwards.tolist() == [12]


def test_art_evaluates_iterates_just_outside_the_ball_and_they_are_pulled_in():
    """Float32 clipping leaves the ball by a rounding; without care none of its iterates would count."""
    ref, dist = images(3)
    theirs = evasion.FastGradientMethod(
        PyTorchRegressor(
            nn.Sequential(nn.Flatten(), nn.Linear(300, 1)),
            loss=lambda j, _: j.sum(),
            input_shape=(3, 10, 10),
            clip_values=(0, 1),
            device_type="cpu",
        ),
        eps=EPS,
    ).generate(dist.numpy(), y=np.zeros((3, 1), np.float32))
    assert float((torch.from_numpy(theirs) - dist).abs().max()) > EPS
    result = attack("art:pgd,steps=4", Wavy(), ref, dist)
    assert float((result.adversarial - dist).abs().max()) <= EPS
    assert (result.attacked_score < result.clean_score).all()
