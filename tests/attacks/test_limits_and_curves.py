"""One search at smaller budgets: limits that stop it, curves that it leaves."""

import time

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Exhausted, Limits, Meter
from robustiqa.core.errors import InvalidInput
from robustiqa.core.objective import Objective
from robustiqa.core.two_afc import TwoAFC
from tests.attacks.cases import EPS, attack, images
from tests.toys import Jittered, Wavy


class Slow(Wavy):
    """Five milliseconds a call."""

    def compare(self, reference, dist):
        time.sleep(0.005)
        return super().compare(reference, dist)


def test_a_limit_on_time_keeps_the_best_and_says_so():
    """The search ends soon after its time, well before its queries; what it had is kept."""
    ref, dist = images(2)
    start = time.perf_counter()
    limits = Limits(max_seconds=0.1)
    result = load_attack("square:queries=5000").run(Objective(Slow(), ref), dist, EPS, limits=limits)
    assert time.perf_counter() - start < 5
    assert result.cut.tolist() == [True, True]
    assert 0 < int(result.cost.forwards[0]) < 200
    assert (result.attacked_score < result.clean_score).all()


def test_without_limits_nothing_is_cut():
    """The flag means something."""
    ref, dist = images(2)
    assert attack("square:queries=20", Wavy(), ref, dist).cut.tolist() == [False, False]


@pytest.mark.parametrize("bad", [{"max_queries": 0}, {"max_seconds": 0}, {"max_seconds": float("nan")}])
def test_limits_that_allow_nothing_are_refused(bad):
    """By name and value."""
    (name,) = bad
    with pytest.raises(InvalidInput, match=f"{name}.*above 0"):
        Limits(**bad)


def test_samples_are_metered_apart_and_the_last_one_ends_the_search():
    """A row beyond its sample's share is refused, others are not; draws of a randomised model each count."""
    meter = Meter(Limits(max_queries=4), 2)
    assert meter.admit(torch.tensor([0, 0, 0, 1]), 2).tolist() == [True, True, False, True]
    assert meter.cut.tolist() == [True, False]
    assert meter.admit(torch.tensor([0, 1]), 2).tolist() == [False, True]
    with pytest.raises(Exhausted):
        meter.admit(torch.tensor([1]), 2)
    assert meter.cut.tolist() == [True, True]
    ref, dist = images(2)
    result = load_attack("bim:steps=9").run(Objective(Jittered(), ref), dist, EPS, limits=Limits(max_queries=10))
    assert result.cost.forwards.tolist() == [8, 8]  # four draws a step


@pytest.mark.parametrize("text", ["square", "nes", "parsimonious:block=4"])
def test_query_curve_is_what_shorter_runs_would_have_found(text):
    """At 100 and 300 queries of 400: never better than the end, never worse than before, and exactly a limited run's."""
    ref, dist = images(2)
    join = "," if ":" in text else ":"
    result = attack(f"{text}{join}queries=400", Wavy(), ref, dist)
    assert [point.at for point in result.curve] == [100, 300]
    hundred, three = (point.score for point in result.curve)
    assert (result.attacked_score <= three).all()
    assert (three <= hundred).all()
    assert (hundred < result.clean_score).all()
    whole = load_attack(f"{text}{join}queries=400")
    limited = whole.run(Objective(Wavy(), ref), dist, EPS, limits=Limits(max_queries=100))
    assert torch.equal(limited.attacked_score, hundred)
    assert torch.equal(limited.curve[0].score, hundred)


def test_white_box_attacks_have_no_query_curve():
    """Nor has a black-box one that ends before the first milestone."""
    ref, dist = images(2)
    assert attack("bim:steps=120", Wavy(), ref, dist).curve == ()
    assert attack("square:queries=99", Wavy(), ref, dist).curve == ()


def test_margins_between_two_images_count_both():
    """A joint attack spends two passes a step, and five allow two steps."""
    ref, p0 = images(2)
    objective = TwoAFC(Wavy(), ref, p0, p0.flip(3), torch.tensor([0.0, 1.0]), "both")
    result = load_attack("bim:steps=9").run(objective, objective.clean, EPS, limits=Limits(max_queries=5))
    assert result.cost.forwards.tolist() == [4, 4]
    assert result.cut.tolist() == [True, True]
