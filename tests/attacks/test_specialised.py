"""Korhonen, perceptual, cw-min, NES, Parsimonious and the feature space: what each claims beyond the contract."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.budget import Linf
from robustiqa.attacks.korhonen import activity_map
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.objective import Objective
from robustiqa.models import load_model
from robustiqa.models.ssim import ssim
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Linear, Wavy


def textured():
    """An image that is flat on the left and busy on the right."""
    dist = torch.full((1, 3, 16, 16), 0.5)
    dist[..., 8:] += 0.2 * (torch.rand((1, 3, 16, 8), generator=torch.Generator().manual_seed(0)) - 0.5)
    return dist


def by_adam(gradient_of, x, scale, steps=10, lr=0.002):
    """Torch's own Adam, on gradients multiplied by ``scale``."""
    x = x.clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=lr, maximize=True)
    for _ in range(steps):
        x.grad = scale * gradient_of(x.detach())
        adam.step()
    return x.detach()


def test_multiplying_the_gradient_before_adam_does_nothing_and_ours_does():
    """Where the map is 0.05 the published way moves a pixel as far as without a map; the update's way does not."""
    dist = textured()
    ref = dist.roll(3, -1)
    activity = activity_map(dist).clamp_min(0.05)
    gradient_of = lambda x: Objective(Linear(), ref).value_and_grad(x, torch.arange(1))[1]  # noqa: E731
    plain, masked = (by_adam(gradient_of, dist, scale) for scale in (1.0, activity))
    assert torch.allclose(plain, masked, atol=1e-5)
    assert float((plain - dist).abs().mean()) > 0.01
    ours = attack("korhonen:steps=10,lr=0.002", Linear(), ref, dist).adversarial
    moved = (ours - dist).abs()
    map_ = activity_map(dist).expand_as(dist)
    assert float(torch.corrcoef(torch.stack((moved.flatten(), map_.flatten())))[0, 1]) > 0.95
    assert float(moved[map_ == 0].max()) == 0


def test_activity_looks_along_both_axes_and_is_1_without_edges():
    """A vertical and a horizontal edge count alike; an image's largest activity is 1."""
    edge = torch.zeros(1, 3, 9, 9)
    edge[..., 5:] = 1
    turned = activity_map(edge.transpose(2, 3)).transpose(2, 3)
    assert torch.equal(activity_map(edge), turned)
    assert float(activity_map(edge).max()) == 1
    assert float(activity_map(edge)[..., :3].max()) == 0
    assert torch.equal(activity_map(torch.full((1, 3, 4, 4), 0.3)), torch.ones(1, 1, 4, 4))


def test_perceptual_uses_its_budget_and_keeps_to_it():
    """SSIM to the untouched image stays at least at the budget and comes near it; more budget, more effect."""
    ref, dist = images(2, 16)
    results = [attack(f"perceptual:budget={b}", Wavy(), ref, dist) for b in (0.0005, 0.001)]
    for budget, result in zip((0.0005, 0.001), results, strict=True):
        seen = 1 - ssim(dist, result.adversarial)
        assert (seen <= budget).all()
        assert (seen >= 0.8 * budget).all()
    assert (results[1].attacked_score < results[0].attacked_score).all()


def test_perceptual_with_eps_1_has_no_linf_constraint():
    """D alone holds it back."""
    ref, dist = images(2, 16)
    result = attack("perceptual:budget=0.02,lr=0.02", Wavy(), ref, dist, eps=1)
    assert float((result.adversarial - dist).abs().max()) > 2 * EPS
    assert (1 - ssim(dist, result.adversarial) <= 0.02).all()


@pytest.mark.parametrize(("text", "said"), [("perceptual", "is the attacked model"), ("perceptual:distance=psrn", "psrn")])
def test_perceptual_refuses_the_attacked_model_as_distance(text, said):
    """A metric cannot vouch for itself; an unknown one is refused by name."""
    ref, dist = images(1, 16)
    with pytest.raises(InvalidInput, match=said):
        attack(text, load_model("ssim"), ref, dist)


def test_perceptual_refuses_images_that_its_distance_cannot_measure():
    """SSIM's window has 11 pixels."""
    ref, dist = images(1, 8)
    with pytest.raises(InvalidInput, match="11 pixels a side, not 8x8"):
        attack("perceptual", Wavy(), ref, dist)


def test_cw_min_finds_the_smallest_change_of_a_linear_score():
    """Half the rise of BIM; the least L2 change for it is along the weights, and is met within 10 %."""
    ref, dist = (image * 0.5 + 0.25 for image in images(2))
    result = attack("cw-min", Linear(), ref, dist)
    weights = Linear().weights(dist)
    goal = 0.5 * EPS * float(weights.abs().sum())
    rise = result.attacked_score - result.clean_score
    assert (rise >= goal * (1 - 1e-4)).all()
    least = goal / float(weights.norm())
    found = (result.adversarial - dist).flatten(1).norm(dim=1)
    assert (found <= 1.1 * least).all()
    assert (found >= 0.999 * least).all()


def test_cw_min_takes_a_goal_in_units_of_the_score_and_does_its_best_for_one_out_of_reach():
    """tau is the wanted rise; out of reach, the highest score is kept."""
    ref, dist = images(2)
    near = attack("cw-min:tau=1", Linear(), ref, dist)
    assert (near.attacked_score - near.clean_score >= 1 - 1e-4).all()
    assert (near.attacked_score - near.clean_score < 1.5).all()
    far = attack("cw-min:tau=1000", Linear(), ref, dist)
    assert (far.attacked_score > near.attacked_score + 1).all()


def test_cw_min_curve_rises_with_the_change_and_ends_at_eps():
    """One run serves all radii; each point is the best of its size."""
    ref, dist = images(2)
    result = attack("cw-min", Linear(), ref, dist)
    assert [point.at for point in result.curve] == [EPS * share for share in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)]
    scores = torch.stack([point.score for point in result.curve])
    assert (scores.diff(dim=0) >= 0).all()
    assert (scores[0] > result.clean_score).all()
    assert (scores[-1] >= result.attacked_score).all()


def test_nes_climbs_where_there_is_no_gradient_to_follow():
    """Antithetic estimates point uphill of a rounded score, and are images of the ball."""
    ref, dist = images(2)
    model = Watched(Wavy())
    result = attack("nes:queries=200", model, ref, dist)
    assert model.backwards == 0
    assert (result.attacked_score < result.clean_score - 30).all()
    ball = Linf.around(dist, EPS)
    assert all(ball.contains(x, torch.arange(2)).all() for x in model.seen[1:-5])
    centre, ahead, behind = dist, *model.seen[1:3]
    inside = (ahead != ball.high) & (ahead != ball.low) & (behind != ball.high) & (behind != ball.low)
    assert torch.allclose((ahead - centre)[inside], (centre - behind)[inside], atol=1e-6)


def test_parsimonious_solves_a_linear_score_over_its_blocks():
    """Greedy is exact there: at blocks of one pixel every pixel ends at its better face, well within its queries."""
    ref, dist = images(1, 4)
    model, ball = Linear(), Linf.around(dist, EPS)
    best = model(ref, torch.where(model.weights(dist) > 0, ball.high, ball.low))
    result = attack("parsimonious:queries=400,block=1", model, ref, dist)
    assert torch.allclose(result.attacked_score, best, atol=1e-5)


class Rugged(QualityModel):
    """The product of block means: what a block is worth changes with the others, so summed margins would be wrong."""

    info = ModelInfo("rugged", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        return dist.unfold(2, 4, 4).unfold(3, 4, 4).mean((-1, -2)).sub(0.45).flatten(1).mul(8).cos().prod(1)


def test_parsimonious_only_ever_accepts_measured_rises():
    """Replayed from the queries: what is kept changes only to a candidate that was measured to be better."""
    ref, dist = images(1, 8)
    model = Watched(Rugged())
    result = attack("parsimonious:queries=60,block=4,batch=4", model, ref, dist)
    asked = torch.cat(model.seen[1:-4])[:60]
    assert torch.equal(result.attacked_score[0], Rugged()(ref.expand_as(asked), asked).max())
    ball = Linf.around(dist, EPS)
    assert bool(((asked == ball.low) | (asked == ball.high)).all())
    assert torch.equal(asked[:1], ball.low)


def test_feature_space_needs_features_and_raises_the_score_where_they_are(genuine_weights):
    """Refused by name without; on LPIPS nearer features are a better score; passes are counted as they are."""
    ref, dist = images(1, 64)
    with pytest.raises(InvalidInput, match="'wavy' has no feature_layers"):
        attack("apgd:steps=2,loss=features", Wavy(), ref, dist)
    result = attack("apgd:steps=5,loss=features", load_model("lpips-alex"), ref, dist)
    assert float(result.attacked_score) < float(result.clean_score)
    assert result.cost.forwards.tolist() == [10]
    assert result.cost.backwards.tolist() == [5]


@pytest.mark.parametrize("name", ["lpips-alex", "dists", "birqa"])
def test_features_of_the_reference_are_nearest(name):
    """Every model that shows features: nearness is 0 at the reference, below elsewhere, and flips with the direction."""
    ref, dist = images(2, 64)
    model = load_model(name, weights="random")
    for direction, sign in (("up", 1), ("down", -1)):
        objective = Objective(model, ref, direction)
        nearest, _ = objective.nearness_and_grad(ref, torch.arange(2))
        elsewhere, gradient = objective.nearness_and_grad(dist, torch.arange(2))
        assert nearest.abs().max() < 1e-6
        assert (sign * elsewhere < -1e-6).all()
        assert gradient.isfinite().all()


def test_quadratic_features_are_followed_by_the_ensemble():
    """A model with features: the standard ensemble's member is run, and is skipped without."""
    member = load_attack("autoattack").members[1]

    class Shown(Quadratic):
        def feature_layers(self, reference, dist):
            return (dist,)

    ref, dist = images(2)
    seen = member.run(Objective(Shown(), ref), dist, EPS)
    best = Quadratic()(ref, Linf.around(dist, EPS).project(ref))
    assert torch.allclose(seen.attacked_score, best, rtol=1e-3)
