"""The record of the best: only feasible, finite candidates win."""

import pytest
import torch

from robustiqa.attacks.budget import Linf
from robustiqa.attacks.search import Search
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS


class Mean(QualityModel):
    """The mean of the image; ``bad`` where it exceeds 0.52."""

    info = ModelInfo("mean", lower_better=False, paper="toy")

    def __init__(self, bad=None):
        super().__init__()
        self.bad = bad

    def compare(self, reference, dist):
        mean = dist.flatten(1).mean(1)
        return mean if self.bad is None else torch.where(mean > 0.52, mean * 0 + self.bad, mean)


CENTER = torch.full((2, 3, 4, 4), 0.5)
EVERYONE = torch.arange(2)


def search(model=None):
    objective = Objective(model or Mean(), CENTER)
    return Search(objective, Linf.around(CENTER, EPS), objective.value(CENTER, EVERYONE))


def test_best_candidate_of_each_sample_is_kept_with_its_number():
    """Iterates are counted per sample from 1; the clean image is 0."""
    record = search()
    record.value(CENTER + 0.01)
    record.value(CENTER[:1] + 0.02, torch.tensor([1]))
    record.value(CENTER - 0.01)
    found = record.found
    assert found.iteration.tolist() == [1, 2]
    assert torch.equal(found.best, torch.stack((CENTER[0] + 0.01, CENTER[1] + 0.02)))


def test_candidates_outside_the_ball_never_win():
    """However good they are."""
    record = search()
    record.value(CENTER + 0.2)
    record.value_and_grad(CENTER + 0.3)
    found = record.found
    assert found.iteration.tolist() == [0, 0]
    assert torch.equal(found.best, CENTER)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_non_finite_scores_never_win(bad):
    """NaN and infinities lose to every finite score."""
    record = search(Mean(bad))
    record.value(CENTER + 0.01)
    record.value(CENTER + 0.03)
    assert record.found.iteration.tolist() == [1, 1]


def test_equal_scores_keep_the_first():
    """Ties do not replace."""
    record = search()
    record.value(CENTER + 0.01)
    record.value(CENTER.flip(2) + 0.01)
    assert record.found.iteration.tolist() == [1, 1]


def test_a_sample_may_stand_in_a_batch_twice():
    """The better of its candidates wins, in whatever order."""
    for steps in ((0.01, 0.02), (0.02, 0.01)):
        record = search()
        record.value(torch.stack([CENTER[0] + step for step in steps]), torch.tensor([1, 1]))
        assert torch.equal(record.found.best[1], CENTER[1] + 0.02)


def test_kept_images_do_not_change_with_the_candidates():
    """An author may write into a candidate after it was scored."""
    record = search()
    candidate = CENTER + 0.01
    record.value(candidate)
    candidate += 0.5
    assert torch.equal(record.found.best, CENTER + 0.01)


def test_the_last_iterate_is_a_contender():
    """It is scored at the harness's cost and competes with the others."""
    objective = Objective(Mean(), CENTER)
    record = Search(objective, Linf.around(CENTER, EPS), objective.value(CENTER, EVERYONE))
    spent = objective.cost.forwards.clone()
    last = torch.stack((CENTER[0] + 0.01, CENTER[1] - 0.01))
    assert torch.equal(record.settle(last), last)
    assert record.found.iteration.tolist() == [1, 0]
    assert torch.equal(objective.cost.forwards, spent)
    assert objective.harness_cost.forwards.tolist() == [1, 1]


def test_non_finite_gradient_entries_become_zero():
    """They cannot poison an iterate; the finite entries pass unchanged."""

    class Root(Mean):
        def compare(self, reference, dist):
            return (dist - 0.5).abs().sqrt().flatten(1).sum(1)  # slope inf * sign(0) = NaN at 0.5

    x = CENTER.clone()
    x[:, 0] += 0.01
    _, gradient = search(Root()).value_and_grad(x)
    assert (gradient[:, 1:] == 0).all()
    assert torch.allclose(gradient[:, 0], torch.full_like(gradient[:, 0], 5.0), rtol=1e-3)
