"""``run`` is correct whatever the author of an attack writes."""

from dataclasses import dataclass

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.base import Attack, at_least
from robustiqa.core.errors import InvalidInput
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, Quadratic, Watched, attack, images
from tests.toys import Cliff, Linear, Wavy


@dataclass(frozen=True)
class Toy(Attack):
    name = "toy"
    access = "white-box"
    paper = "none"


@dataclass(frozen=True)
class Forgetful(Toy):
    """Finds the optimum, then returns something out of the ball, NaN in sample 0."""

    def _search(self, search, x, ball, random):
        search.value(ball.project(x - 1))
        search.value(ball.project(x + search.value_and_grad(x)[1].sign()))
        last = x + 3
        last[0] = torch.nan
        return last


@dataclass(frozen=True)
class InPlace(Toy):
    """Writes into the image that it was given."""

    def _search(self, search, x, ball, random):
        x += 0.01
        return x


@dataclass(frozen=True)
class Harmful(Toy):
    """Goes down the gradient."""

    def _search(self, search, x, ball, random):
        return x - search.value_and_grad(x)[1].sign()


def test_best_iterate_is_returned_where_the_author_forgot_it():
    """A NaN and out-of-ball last iterate costs nothing: the optimum that was tried is the result."""
    ref, dist = images()
    model = Linear()
    result = Forgetful().run(Objective(model, ref), dist, EPS)
    assert float((result.adversarial - dist).abs().max()) <= EPS
    assert torch.equal(result.attacked_score, attack("fgsm", model, ref, dist).attacked_score)
    assert result.best_iteration.tolist() == [3, 3, 3]
    assert result.last_score.isnan().tolist() == [True, False, False]


def test_writing_into_the_clean_image_harms_neither_caller_nor_result():
    """Clean scores are of the clean image and the caller's tensor stays."""
    ref, dist = images()
    before = dist.clone()
    result = InPlace().run(Objective(Linear(), ref), dist, EPS)
    assert torch.equal(dist, before)
    assert torch.equal(result.clean_score, Linear()(ref, before))
    assert float((result.adversarial - before).abs().max()) <= EPS


def test_clean_image_is_returned_where_nothing_better_was_found():
    """Attacked is never worse than clean, for every sample; the last iterate's score stays visible."""
    ref, dist = images()
    result = Harmful().run(Objective(Linear(), ref), dist, EPS)
    assert torch.equal(result.adversarial, dist)
    assert torch.equal(result.attacked_score, result.clean_score)
    assert (result.last_score < result.clean_score).all()
    assert result.best_iteration.tolist() == [0, 0, 0]


def test_every_reported_score_is_of_its_image():
    """Clean, attacked and 8-bit scores are recomputed here from the images."""
    ref, dist = images()
    result = attack("pgd:steps=5", Wavy(), ref, dist)
    assert torch.equal(result.clean_score, Wavy()(ref, dist))
    assert torch.equal(result.attacked_score, Wavy()(ref, result.adversarial))
    assert torch.equal(result.attacked_score_8bit, Wavy()(ref, result.adversarial_8bit))


@pytest.mark.parametrize("text", ["fgsm", "pgd:steps=4,restarts=2", "apgd:steps=6", "cw:steps=4", "square:queries=9"])
def test_counted_passes_are_those_that_the_model_saw(text):
    """Search and harness together account for every image and every gradient."""
    ref, dist = images()
    model = Watched(Wavy())
    objective = Objective(model, ref)

    result = load_attack(text).run(objective, dist, EPS)
    total = result.cost.forwards + objective.harness_cost.forwards
    assert int(total.sum()) == sum(map(len, model.seen))
    assert int(result.cost.backwards.sum()) == model.backwards
    settled = 1 + getattr(load_attack(text), "restarts", 1)  # last iterates when the search ends, and the clean image
    assert objective.harness_cost.forwards.tolist() == [settled + 4] * 3  # clean, last, best, 8-bit afresh
    assert objective.harness_cost.backwards.tolist() == [0] * 3


def test_seed_and_ids_decide_whatever_the_order_of_the_batch():
    """Default ids are positions; named ones travel with their samples."""
    ref, dist = images(4)

    def run(order, ids, seed=3):
        return load_attack("pgd:steps=1").run(Objective(Wavy(), ref[order]), dist[order], EPS, seed, ids).adversarial

    plain = run([0, 1, 2, 3], None)
    assert torch.equal(run([0, 1, 2, 3], ["0", "1", "2", "3"]), plain)
    assert torch.equal(run([2, 0, 3, 1], ["2", "0", "3", "1"]), plain[[2, 0, 3, 1]])
    assert not torch.equal(run([0, 1, 2, 3], ["a", "b", "c", "d"]), plain)
    assert not torch.equal(run([0, 1, 2, 3], None, seed=4), plain)


def test_nan_scores_of_one_sample_leave_the_others_alone():
    """A sample whose scores are NaN keeps its clean image; its neighbour's result is that of a run alone."""
    ref, dist = images(2)
    dist = torch.stack((dist[0] * 0.5, dist[1] * 0.2 + 0.75))
    both = attack("pgd:steps=5", Cliff(), ref, dist)
    alone = attack("pgd:steps=5", Cliff(), ref[:1], dist[:1])
    assert torch.equal(both.adversarial[:1], alone.adversarial)
    assert torch.equal(both.adversarial[1], dist[1])
    assert both.attacked_score.isfinite().tolist() == [True, False]


@pytest.mark.parametrize("eps", [1 / 255, EPS, 0.03, 1])
def test_result_is_feasible_for_every_eps(eps):
    """Exact comparison as Python's, for budgets that are no float32."""
    ref, dist = images()
    result = attack("pgd:steps=5,alpha=0.5", Quadratic(), ref, dist, "down", eps=eps)
    assert float((result.adversarial - dist).abs().max()) <= eps
    assert float((result.adversarial_8bit - dist).abs().max()) <= eps + 1e-6
    assert 0 <= float(result.adversarial.min()) <= float(result.adversarial.max()) <= 1


@pytest.mark.parametrize(("ids", "said"), [(["a", "b"], "2 names"), (["a", "b", "a"], "2 distinct"), ([], "0 names")])
def test_ids_must_be_distinct_and_one_per_sample(ids, said):
    """The message counts what was given and what was wanted."""
    ref, dist = images()
    with pytest.raises(InvalidInput, match=f"{said}.*wanted 3"):
        Forgetful().run(Objective(Linear(), ref), dist, EPS, ids=ids)


def test_images_that_are_none_are_refused():
    """8-bit values, another shape than the references', or NaN."""
    ref, dist = images()
    for bad, said in ((dist * 255, "divide"), (dist[:2], "sizes differ"), (dist * torch.nan, "not finite")):
        with pytest.raises(InvalidInput, match=said):
            Forgetful().run(Objective(Linear(), ref), bad, EPS)


def test_an_attack_without_a_search_cannot_be_made():
    """``_search`` is all that an author must write, and must."""
    with pytest.raises(TypeError, match="_search"):
        Toy()


def test_bounds_of_parameters_follow_their_kind():
    """A whole-number parameter refuses fractions and a real one refuses 0 even where it is spelled as an int."""

    @dataclass(frozen=True)
    class Tuned(Forgetful):
        steps: int = 3
        rate: float = 0.5

        def __post_init__(self):
            at_least(self, steps=1, rate=0)

    assert Tuned(steps=1, rate=1).rate == 1
    for bad, said in (({"steps": 0}, "steps=0"), ({"steps": 2.5}, r"steps=2\.5"), ({"rate": 0}, "rate=0"),
                      ({"rate": float("nan")}, "rate=nan")):  # fmt: skip
        with pytest.raises(InvalidInput, match=f"toy: {said}"):
            Tuned(**bad)
