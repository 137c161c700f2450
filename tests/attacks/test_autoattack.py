"""The ensemble: never weaker than a member, and nothing but its members."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.autoattack import MEMBERS, AutoAttack
from robustiqa.attacks.pgd_adam import PGDAdam
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, Watched, attack, images
from tests.toys import Wavy

IDS = [f"s{i}" for i in range(4)]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_ensemble_is_at_least_each_member_and_is_one_of_them(direction):
    """Per image, with the members run alone with the same seed and ids."""
    ref, dist = images(4)
    ensemble = AutoAttack(version="quick")

    def quality(a):
        return -a.run(Objective(Wavy(), ref, direction), dist, EPS, 7, IDS).attacked_score

    alone = torch.stack([quality(member) for member in ensemble.members])
    best = alone.amax(0) if direction == "up" else alone.amin(0)
    assert torch.equal(quality(ensemble), best)


def test_members_see_in_the_ensemble_what_they_see_alone():
    """The ensemble's iterates are its members', one after the other, bit for bit."""
    ref, dist = images(2)

    def seen(a, skip):
        model = Watched(Wavy())
        a.run(Objective(model, ref), dist, EPS, 3, ["a", "b"])
        return model.seen[1:-skip]

    ensemble = seen(AutoAttack(version="quick"), 5)
    # alone, Square scores its best after 100 queries once more
    members = [x for member in MEMBERS["quick"] for x in seen(member, 5 if member.name == "square" else 4)]
    assert len(ensemble) == len(members) == 25 + 25 + 250 + 3
    assert all(torch.equal(a, b) for a, b in zip(ensemble, members, strict=True))


def test_cost_is_the_sum_of_the_members():
    """Quick: APGD 25, C&W 25 and Square 250 queries."""
    ref, dist = images(2)
    cost = attack("autoattack:quick", Wavy(), ref, dist).cost
    assert cost.forwards.tolist() == [300, 300]
    assert cost.backwards.tolist() == [50, 50]


def test_budgets_are_declared():
    """Standard has 5 starts and 5,000 queries; quick says that it is reduced."""
    standard, quick = load_attack("autoattack"), load_attack("autoattack:quick")
    apgd, features, cw, adam, square, last = standard.members
    assert (apgd.steps, apgd.restarts, apgd.loss, cw.steps, square.queries) == (100, 5, "score", 100, 5000)
    assert (features.steps, features.loss) == (100, "features")
    assert (adam.steps, adam.start, last.steps, last.start) == (100, "image", 100, "best")
    assert standard.flags == ()
    assert quick.flags == ("reduced-budget",)


def test_under_l2_every_member_has_that_ball_and_the_one_that_has_only_a_box_is_out():
    """C&W's change of variables is the L-infinity ball's."""
    standard, quick = (load_attack(f"autoattack:{version},norm=l2").members for version in ("standard", "quick"))
    assert [one.name for one in standard] == ["apgd", "apgd", "pgd-adam", "square", "pgd-adam"]
    assert [one.name for one in quick] == ["apgd", "square"]
    assert {one.norm for one in (*standard, *quick)} == {"l2"}
    ref, dist = images(2)
    result = AutoAttack(version="quick", norm="l2").run(Objective(Wavy(), ref), dist, EPS, 7, ["a", "b"])
    alone = [one.run(Objective(Wavy(), ref), dist, EPS, 7, ["a", "b"]).attacked_score for one in quick]
    assert torch.equal(result.attacked_score, torch.minimum(*alone))
    with pytest.raises(InvalidInput, match="norm='l1' is not one of linf, l2"):
        AutoAttack(norm="l1")


def test_a_last_search_from_the_best_of_all_never_falls_behind_it(monkeypatch):
    """It starts where the members before it ended, and its first image is their best."""
    monkeypatch.setitem(MEMBERS, "quick", (*MEMBERS["quick"], PGDAdam(steps=5, start="best")))
    ref, dist = images(2)
    model = Watched(Wavy())
    refined = AutoAttack(version="quick").run(Objective(model, ref), dist, EPS, 7, ["a", "b"])
    monkeypatch.undo()
    before = AutoAttack(version="quick").run(Objective(Wavy(), ref), dist, EPS, 7, ["a", "b"])
    assert torch.equal(model.seen[-11], before.adversarial)  # five steps, and the harness's six passes after them
    assert (refined.attacked_score <= before.attacked_score).all()
    assert refined.cost.forwards.tolist() == [305, 305]


def test_unknown_version_is_refused_with_the_nearest():
    """The message names the value and what is known."""
    with pytest.raises(UnknownName, match=r"'quik'.*Did you mean 'quick'.*standard"):
        AutoAttack(version="quik")
