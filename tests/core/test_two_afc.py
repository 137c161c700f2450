"""The 2AFC objective: one margin of two scores, whichever image is attacked."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.core.errors import InvalidInput
from robustiqa.core.two_afc import TARGETS, TwoAFC
from robustiqa.defenses import load_defense
from tests.attacks.cases import EPS, Quadratic, Watched
from tests.toys import Jittered, Wavy

HUMAN = torch.tensor([0.0, 1.0, 0.5, 0.8])


def triplets(count=4, size=6, seed=0):
    """References and two distorted images each."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 256, (count, 3, size, size), generator=generator).float() / 255 for _ in range(3)]


def by_hand(model, ref, p0, p1, human):
    """Quality of the other image less that of the one people prefer."""
    q0, q1 = (model.info.orientation * model(ref, p) for p in (p0, p1))
    return torch.where(human > 0.5, q0 - q1, q1 - q0)


def moved(target, ref, p0, p1, x, human):
    """The triplet after ``x`` took the place of what is attacked."""
    if target == "both":
        return ref, *x.chunk(2, dim=2)
    if target == "ref":
        return x, p0, p1
    takes_p1 = {"p0": torch.zeros(4), "p1": torch.ones(4), "preferred": human > 0.5}[target].bool()[:, None, None, None]
    return ref, torch.where(takes_p1, p0, x), torch.where(takes_p1, x, p1)


@pytest.mark.parametrize("target", TARGETS)
def test_value_and_gradient_are_those_of_the_margin(target):
    """By hand and by autograd through the plain model, for any subset in any order."""
    ref, p0, p1 = triplets()
    objective = TwoAFC(Wavy(), ref, p0, p1, HUMAN, target)
    x = (objective.clean * 0.9 + 0.05).requires_grad_()
    wanted = by_hand(Wavy(), *moved(target, ref, p0, p1, x, HUMAN), HUMAN)
    (slope,) = torch.autograd.grad(wanted.sum(), x)
    index = torch.tensor([3, 0, 1, 0])
    j, gradient = objective.value_and_grad(x.detach()[index], index)
    torch.testing.assert_close(j, wanted.detach()[index])
    torch.testing.assert_close(gradient, slope[index])
    torch.testing.assert_close(objective.value(x.detach()[index], index), wanted.detach()[index])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("text", ["fgsm", "pgd:steps=3", "apgd:steps=4", "cw:steps=3", "square:queries=8", "art:pgd,steps=3"])
def test_every_attack_serves_it(target, text):
    """Within ε of what is attacked; the reported margin in favour of the preferred image never rises."""
    ref, p0, p1 = triplets()
    objective = TwoAFC(Quadratic(), ref, p0, p1, HUMAN, target)
    result = load_attack(text).run(objective, objective.clean, EPS)
    assert float((result.adversarial - objective.clean).abs().max()) <= EPS
    assert (result.attacked_score <= result.clean_score).all()
    after = moved(target, ref, p0, p1, result.adversarial, HUMAN)
    torch.testing.assert_close(result.attacked_score, -by_hand(Quadratic(), *after, HUMAN))
    torch.testing.assert_close(result.clean_score, -by_hand(Quadratic(), ref, p0, p1, HUMAN))


def test_the_preferred_image_is_the_one_people_chose_and_half_counts_for_p0():
    """0 and 0.5 attack p0, 1 and 0.8 attack p1."""
    ref, p0, p1 = triplets()
    objective = TwoAFC(Wavy(), ref, p0, p1, HUMAN)
    assert torch.equal(objective.clean, torch.stack((p0[0], p1[1], p0[2], p1[3])))


def test_both_images_at_once_are_at_least_as_weak_as_either():
    """Twice the budget: the joint optimum of a quadratic distance moves both."""
    ref, p0, p1 = triplets()
    after = {}
    for target in ("p0", "p1", "both"):
        objective = TwoAFC(Quadratic(), ref, p0, p1, HUMAN, target)
        after[target] = load_attack("pgd:steps=20,random_start=false").run(objective, objective.clean, EPS).attacked_score
    assert (after["both"] < after["p0"]).all()
    assert (after["both"] < after["p1"]).all()


@pytest.mark.parametrize(("target", "passes"), [("preferred", 1), ("p0", 1), ("p1", 1), ("both", 2), ("ref", 2)])
def test_passes_are_counted_as_the_model_saw_them(target, passes):
    """One comparison for one image, two where both sides depend on what is attacked."""
    ref, p0, p1 = triplets()
    model = Watched(Wavy())
    objective = TwoAFC(model, ref, p0, p1, HUMAN, target)
    result = load_attack("pgd:steps=3").run(objective, objective.clean, EPS)
    assert result.cost.forwards.tolist() == [3 * passes] * 4
    assert result.cost.backwards.tolist() == [3 * passes] * 4
    assert int((objective.cost.forwards + objective.harness_cost.forwards).sum()) == sum(map(len, model.seen))
    assert model.backwards == 4 * 3 * passes


@pytest.mark.parametrize("target", TARGETS)
def test_native_scores_are_of_the_triplet_as_attacked(target):
    """What accuracies are made of: both images' scores, with the attacked one in place."""
    ref, p0, p1 = triplets()
    objective = TwoAFC(Wavy(), ref, p0, p1, HUMAN, target)
    x = objective.clean * 0.8
    new_ref, new_p0, new_p1 = moved(target, ref, p0, p1, x, HUMAN)
    d0, d1 = objective.scores(x)
    torch.testing.assert_close(d0, Wavy()(new_ref, new_p0))
    torch.testing.assert_close(d1, Wavy()(new_ref, new_p1))


@pytest.mark.parametrize("target", TARGETS)
def test_an_oblivious_attack_is_reported_by_the_defended_model(target):
    """Gradients of the plain model, margins of the other."""
    ref, p0, p1 = triplets()
    defended = load_defense("bit-depth:bits=2").apply(Quadratic())
    objective = TwoAFC(Quadratic(), ref, p0, p1, HUMAN, target, score_with=defended)
    result = load_attack("fgsm").run(objective, objective.clean, EPS)
    after = moved(target, ref, p0, p1, result.adversarial, HUMAN)
    torch.testing.assert_close(result.clean_score, -by_hand(defended, ref, p0, p1, HUMAN))
    torch.testing.assert_close(result.attacked_score, -by_hand(defended, *after, HUMAN))


def test_both_images_meet_the_same_draws():
    """The jitter of a randomised score is common to p0 and p1 but for its slope; the result repeats."""
    ref, p0, _ = triplets()
    objective = TwoAFC(Jittered(), ref, p0, p0, HUMAN, "both", eot=2)
    assert objective.value(objective.clean, torch.arange(4)).abs().max() == 0
    first, again = (load_attack("pgd:steps=2").run(objective, objective.clean, EPS).adversarial for _ in range(2))
    assert torch.equal(first, again)
    assert objective.cost.forwards.tolist() == [20] * 4  # value and two runs of two steps, two draws of two images each


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": "p2"}, "target 'p2' is not one of preferred, p0, p1, both, ref"),
        ({"human": torch.tensor([0.0, 2.0, 0.0, 0.0])}, r"wanted 4 shares in \[0, 1\]"),
        ({"human": torch.zeros(3)}, r"shape \(3,\)"),
        ({"p1": torch.zeros(4, 3, 5, 6)}, "sizes differ"),
    ],
)
def test_wrong_triplets_are_refused(changes, said):
    """With the value and what is allowed."""
    ref, p0, p1 = triplets()
    with pytest.raises(InvalidInput, match=said):
        TwoAFC(**{"model": Wavy(), "ref": ref, "p0": p0, "p1": p1, "human": HUMAN} | changes)


def test_the_attacked_image_goes_one_way_and_a_pair_attacked_at_once_has_none():
    """The preferred image is to look worse, p1 better where people chose p0; learned attacks refuse ``both``."""
    ref, p0, p1 = triplets()
    prefer_p1 = HUMAN > 0.5
    assert TwoAFC(Wavy(), ref, p0, p1, HUMAN).signs.tolist() == [-1.0] * len(ref)
    assert TwoAFC(Wavy(), ref, p0, p1, HUMAN, "p1").signs.tolist() == torch.where(prefer_p1, -1.0, 1.0).tolist()
    with pytest.raises(InvalidInput, match="needs each way once"):
        _ = TwoAFC(Wavy(), ref, p0, p1, HUMAN, "both").signs
