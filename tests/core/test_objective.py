"""J: oriented, paired and counted sample by sample."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel, Reference
from robustiqa.core.objective import Objective
from tests.attacks.cases import Quadratic, Watched, images
from tests.toys import Cliff, Constant, Linear, Wavy

ALL = torch.arange(4)


@pytest.mark.parametrize(("model", "up"), [(Linear(), 1), (Quadratic(), -1)], ids=["quality", "distance"])
def test_j_rises_with_the_wanted_direction(model, up):
    """Up means better: a quality as it is, a distance negated; down is the opposite."""
    ref, dist = images(4)
    score = model(ref, dist)
    assert torch.equal(Objective(model, ref, "up").value(dist, ALL), up * score)
    assert torch.equal(Objective(model, ref, "down").value(dist, ALL), -up * score)


@pytest.mark.parametrize("signs", [[1, -1, -1, 1], (1, -1, -1, 1), torch.tensor([1, -1, -1, 1])])
def test_signs_may_be_given_per_sample(signs):
    """As list, tuple or tensor; values and gradients carry them, native scores do not."""
    ref, dist = images(4)
    objective, plain = Objective(Quadratic(), ref, signs), Objective(Quadratic(), ref)
    each = torch.tensor([1.0, -1, -1, 1])
    assert torch.equal(objective.value(dist, ALL), each * plain.value(dist, ALL))
    j, gradient = objective.value_and_grad(dist, ALL)
    assert torch.equal(gradient, each[:, None, None, None] * plain.value_and_grad(dist, ALL)[1])
    assert torch.equal(objective.evaluated(dist, j), Quadratic()(ref, dist))


def test_gradient_is_the_analytic_one():
    """-2 (x - ref) for an upward quadratic distance; no graph is left behind."""
    ref, dist = images(4)
    j, gradient = Objective(Quadratic(), ref).value_and_grad(dist, ALL)
    assert torch.allclose(gradient, -2 * (dist - ref))
    assert not j.requires_grad
    assert not gradient.requires_grad
    assert not dist.requires_grad


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_every_subset_meets_its_own_references(index):
    """Dropped, repeated and reordered rows keep their pair, their sign and their counter."""
    ref, dist = images(4)
    objective = Objective(Wavy(), ref, [1, -1, 1, -1])
    whole, slopes = objective.value_and_grad(dist, ALL)
    rows = torch.tensor(index)
    j, gradient = objective.value_and_grad(dist[rows], rows)
    assert torch.equal(j, whole[rows])
    assert torch.equal(gradient, slopes[rows])
    assert objective.cost.forwards.tolist() == [1 + index.count(i) for i in range(4)]
    assert objective.cost.backwards.tolist() == objective.cost.forwards.tolist()


def test_prepared_features_are_computed_once_and_selected_with_the_image():
    """A model's work on the reference is not repeated, nor mispaired."""

    class Prepared(Quadratic):
        prepared = 0

        def prepare(self, ref):
            self.prepared += 1
            return Reference(ref, (ref.flatten(1).mean(1),))

        def compare(self, reference, dist):
            return dist.flatten(1).mean(1) - reference.features[0]

    ref, dist = images(4)
    model = Prepared()
    objective = Objective(model, ref)
    rows = torch.tensor([3, 1])
    expected = ref.flatten(1).mean(1)[rows] - dist[rows].flatten(1).mean(1)
    assert torch.allclose(objective.value(dist[rows], rows), expected)
    objective.value_and_grad(dist, ALL)
    assert model.prepared == 1


def test_harness_passes_are_booked_apart_even_after_an_error():
    """The search's cost is not touched inside; leaving the block restores it."""
    ref, dist = images(4)
    objective = Objective(Linear(), ref)
    with objective.as_harness():
        objective.value(dist, ALL)
    with pytest.raises(InvalidInput), objective.as_harness():
        Objective(Linear(), ref, "sideways")
    objective.value(dist[:1], ALL[:1])
    assert objective.harness_cost.forwards.tolist() == [1, 1, 1, 1]
    assert objective.cost.forwards.tolist() == [1, 0, 0, 0]


def test_dead_gradients_are_zero_or_not_finite_ones():
    """Per sample; one live entry is enough to live."""
    ref, dist = images(4)
    constant = Objective(Constant(), ref)
    constant.value_and_grad(dist, ALL)
    assert constant.cost.dead.tolist() == [1] * 4
    cliff = Objective(Cliff(), ref)
    half = torch.cat((dist[:2] * 0.2, dist[2:] * 0.2 + 0.7))
    cliff.value_and_grad(half, ALL)
    assert cliff.cost.dead.tolist() == [0, 0, 1, 1]
    almost = ref.clone()
    almost[0, 0, 0, 0] = 1 - almost[0, 0, 0, 0]
    quadratic = Objective(Quadratic(), ref)
    quadratic.value_and_grad(almost, ALL)
    assert quadratic.cost.dead.tolist() == [0, 1, 1, 1]


def test_scores_without_any_graph_have_a_zero_gradient():
    """A model that detaches is attacked without an exception, and reported dead."""

    class Detached(Linear):
        def compare(self, reference, dist):
            return super().compare(reference, dist.detach())

    ref, dist = images(4)
    objective = Objective(Detached(), ref)
    _, gradient = objective.value_and_grad(dist, ALL)
    assert torch.equal(gradient, torch.zeros_like(dist))
    assert objective.cost.dead.tolist() == [1] * 4


def test_parameters_of_the_model_gather_no_gradient():
    """Attacking a model that is in training leaves its .grad alone."""

    class Scaled(Linear):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(2.0))

        def compare(self, reference, dist):
            return self.scale * super().compare(reference, dist)

    ref, dist = images(4)
    model = Scaled()
    Objective(model, ref).value_and_grad(dist, ALL)
    assert model.scale.grad is None


def test_oblivious_objective_follows_one_model_and_reports_the_other():
    """J and gradient are the attacked model's, native scores the evaluated one's; its passes are counted."""
    ref, dist = images(4)
    attacked, defended = Watched(Linear()), Watched(Quadratic())
    objective = Objective(attacked, ref, "up", score_with=defended)
    j, gradient = objective.value_and_grad(dist, ALL)
    assert torch.equal(j, Linear()(ref, dist))
    assert torch.equal(gradient, Linear().weights(dist).expand_as(dist))
    assert defended.seen == []
    assert torch.equal(objective.evaluated(dist, j), Quadratic()(ref, dist))
    assert objective.cost.forwards.tolist() == [2] * 4


@pytest.mark.parametrize("reduce", [lambda s: s.mean(), lambda s: s[:, None]], ids=["reduced", "kept dimension"])
def test_models_without_one_score_per_sample_are_refused(reduce):
    """The message names the model and both shapes."""

    class Shaped(Linear):
        def compare(self, reference, dist):
            return reduce(super().compare(reference, dist))

    ref, dist = images(4)
    with pytest.raises(InvalidInput, match=r"'linear'.*wanted \(4,\)"):
        Objective(Shaped(), ref).value(dist, ALL)


@pytest.mark.parametrize(
    ("direction", "said"),
    [("sideways", "'sideways'.*up, down"), ("", "''"), ([1, 1], r"shape \(2,\).*4 signs"), ([1, 0, 1, 1], "each .1 or -1"),
     ([[1, 1, 1, 1]], r"shape \(1, 4\)"), ([1, 1, 1, float("nan")], "each .1 or -1")],
)  # fmt: skip
def test_bad_directions_are_refused(direction, said):
    """Neither a known word nor one sign per sample."""
    ref, _ = images(4)
    with pytest.raises(InvalidInput, match=said):
        Objective(Linear(), ref, direction)


def test_toys_are_quality_models():
    """The models of these tests obey the contract: a sample's score is the same in any batch."""
    ref, dist = images(4)
    for model in (Linear(), Quadratic(), Wavy(), Cliff()):
        assert isinstance(model, QualityModel)
        alone = torch.cat([model(ref[i : i + 1], dist[i : i + 1]) for i in range(4)])
        assert torch.equal(alone.nan_to_num(-9), model(ref, dist).nan_to_num(-9))
