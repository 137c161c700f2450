"""The losses of R, AT, NT and AAT, and the passes that they cost."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.statistics.anchored import Anchoring, anchored_loss
from robustiqa.training.adversarial.anchored import AnchoredRanking, anchored_surrogate
from robustiqa.training.adversarial.drill import Drill
from robustiqa.training.adversarial.gradient_norm import GradientNorm
from robustiqa.training.adversarial.inner import Inner
from robustiqa.training.adversarial.label_penalty import LabelPenalty
from robustiqa.training.adversarial.lesson import AdversarialLesson
from robustiqa.training.adversarial.policy import BatchPolicy
from robustiqa.training.adversarial.vanilla import Regression
from robustiqa.training.losses import regression_loss
from tests.training.adversarial.cases import Bend, batch, learner

SCORES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=2, max_size=12)


def drilled(data, seen=None, anchors=()):
    mask = np.isin(np.arange(len(data.label)), anchors)
    return Drill(data, data.dist if seen is None else seen, mask)


@given(SCORES)
def test_the_surrogate_tends_to_the_papers_loss(rows):
    """Eq. (3) by numpy is its limit at temperature 0, for any labels, predictions (ties too) and anchors."""
    y, predicted, chosen = (np.array(column, float) for column in zip(*rows, strict=True))
    anchors = np.flatnonzero(chosen) if chosen.any() else np.array([0])
    mask = torch.from_numpy(np.isin(np.arange(len(y)), anchors))
    surrogate = anchored_surrogate(torch.from_numpy(y), torch.from_numpy(predicted), mask, 1e-3)
    pairs = (y[:, None] - y[None]) * np.sign(predicted[None] - predicted[:, None])
    scale = np.abs(pairs).max() / max(np.ptp(y), 1e-9)  # eq. (3) leaves tied predictions out of its maximum
    assert float(surrogate) == pytest.approx(anchored_loss(y, predicted, anchors) * scale, abs=1e-9)


def test_the_surrogate_has_a_gradient_where_order_is_violated_and_only_there():
    """It pulls a misplaced sample back and pushes the anchors that it passed; eq. (3) itself is flat."""
    label = torch.tensor([1.0, 2.0, 3.0, 1.5])
    anchors = torch.tensor([True, True, True, False])
    placed = torch.tensor([1.0, 2.0, 3.0, 1.6]).requires_grad_()
    (gradient,) = torch.autograd.grad(anchored_surrogate(label, placed, anchors, 0.5), placed)
    assert torch.equal(gradient, torch.zeros(4))
    raised = torch.tensor([1.0, 2.0, 3.0, 2.7]).requires_grad_()
    (gradient,) = torch.autograd.grad(anchored_surrogate(label, raised, anchors, 0.5), raised)
    assert gradient[3] > 0  # descending lowers it
    assert gradient[1] < 0  # and raises the anchor
    assert gradient[0] == gradient[2] == 0
    moved = [anchored_loss(label, raised.detach() + torch.tensor([0, 0, 0, d]), [0, 1, 2]) for d in (-0.01, 0.01)]
    assert moved[0] == moved[1]


@pytest.mark.parametrize("regress", ["all", "anchors"])
def test_aat_is_half_ranking_half_regression(regress):
    """Eq. (7), the regression on all predictions or on the anchors' alone; logged with eq. (3) and both bounds."""
    data, anchors = batch(), np.array([0, 2, 5])
    seen = Inner(goal="up").attack(learner(), data, 0.7, 0, 0)
    taught = AnchoredRanking(temperature=0.3, regress=regress)(learner(), drilled(data, seen, anchors), 0.7)
    predicted, mask = Bend()(data.ref, seen), torch.tensor([True, False, True, False, False, True])
    held = mask if regress == "anchors" else torch.ones(6, dtype=torch.bool)
    expected = 0.5 * anchored_surrogate(data.label, predicted, mask, 0.3) + 0.5 * regression_loss(predicted[held], data.label[held])
    assert taught.loss.item() == pytest.approx(expected.item())
    measured = Anchoring.of(data.label.double(), predicted.detach().double(), anchors)
    assert taught.figures["anchored_loss"] == pytest.approx(measured.loss)
    assert taught.figures["max_error"] == pytest.approx(measured.error)
    assert taught.figures["bound_paper"] == pytest.approx(measured.bound_paper)
    assert taught.figures["bound_corrected"] == pytest.approx(measured.bound_corrected)
    assert taught.figures["conditions_hold"] == measured.conditions_hold


def test_at_lowers_labels_by_what_the_attack_did_and_keeps_the_clean_half():
    """Against skimage's SSIM; an image that nobody touched keeps its label, and none leaves the scale."""
    data = batch(4, 32, 1.1, 5.0)
    seen = data.dist.clone()
    seen[:3] = (seen[:3] + 0.25 * torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    taught = LabelPenalty(penalty=0.5)(learner(), drilled(data, seen), 0.7)
    grey = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]
    before, after = ((grey * x.double()).sum(1).numpy() for x in (data.dist, seen))
    similar = [
        structural_similarity(a, b, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        for a, b in zip(before, after, strict=True)
    ]
    expected = np.clip(data.label.numpy() - 0.5 * (1 - np.array(similar)) * 4, 1, 5)
    assert np.allclose(taught.label[:4], expected, atol=1e-4)
    assert taught.label[0] == 1  # cut off at the end of the scale
    assert taught.label[3] == data.label[3]
    assert torch.equal(taught.label[4:], data.label)
    predicted = torch.cat((Bend()(data.ref, seen), Bend()(data.ref, data.dist)))
    assert taught.loss.item() == pytest.approx(regression_loss(predicted, taught.label).item(), rel=1e-5)


class Plane(QualityModel):
    """w . x: the norm of its gradient is the same everywhere."""

    info = ModelInfo("plane", lower_better=False, paper="toy")

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 3 * 24 * 24).view(3, 24, 24) / 1000)

    def compare(self, reference, dist):
        return (dist * self.weight).flatten(1).sum(1)


def test_nt_estimates_the_gradients_norm_and_penalises_its_square():
    """Of a linear score the finite difference is the L1 norm itself, and the penalty has its gradient."""
    data, model = batch(), Plane()
    taught = GradientNorm(weight=0.5, h=0.01)(learner(model), drilled(data), 0.7)
    norm = model.weight.abs().sum()
    assert taught.figures["gradient_norm"] == pytest.approx(norm.item(), rel=1e-3)
    alone = regression_loss(model(data.ref, data.dist), data.label)
    assert taught.loss.item() == pytest.approx((alone + 0.5 * norm**2 / 2).item(), rel=1e-3)
    (gradient,) = torch.autograd.grad(taught.loss - alone, model.weight)
    assert torch.allclose(gradient, 0.5 * norm.detach() * model.weight.sign(), rtol=0.02, atol=1e-4)


LOSSES = {"regression": Regression(), "label-penalty": LabelPenalty(), "gradient-norm": GradientNorm(), "anchored": AnchoredRanking()}


@pytest.mark.parametrize("inner", [None, Inner(steps=3)])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_pass_is_counted(loss, inner):
    """What a step says it costs, before and after, is what a model counts that is asked for it."""
    policy = BatchPolicy(clean=1 / 3)
    lesson, student = AdversarialLesson(policy, inner, LOSSES[loss], 0.7, 0), learner()
    taught = lesson(student, batch(), 0)
    taught.loss.backward()
    counted = student.model.forwards + student.model.backwards
    assert counted == taught.passes == lesson.passes(6)


def test_anchors_are_seen_as_they_are_and_all_others_attacked():
    """Two of six stay clean, other ones at another step."""
    seen = []

    class Watch(Regression):
        def __call__(self, student, drill, alpha):
            seen.append(drill)
            return super().__call__(student, drill, alpha)

    lesson = AdversarialLesson(BatchPolicy(clean=1 / 3), Inner(), Watch(), 0.7, 0)
    data = batch()
    for step in range(4):
        lesson(learner(), data, step)
    for drill in seen:
        same = (drill.seen == data.dist).flatten(1).all(1).numpy()
        assert (same == drill.anchors).all()
        assert same.sum() == 2
    assert len({tuple(drill.anchors) for drill in seen}) > 1


def test_all_clean_and_all_attacked_are_policies_too():
    """Without a target nothing is attacked; without an anchor Theorem 1 says nothing."""
    data = batch()
    clean = AdversarialLesson(BatchPolicy(clean=1.0), Inner(), Regression(), 0.7, 0)(learner(), data, 0)
    assert clean.loss.item() == pytest.approx(regression_loss(Bend()(data.ref, data.dist), data.label).item())
    assert "eps" not in clean.figures
    attacked = AdversarialLesson(BatchPolicy(), Inner(), Regression(), 0.7, 0)(learner(), data, 0)
    assert attacked.loss > clean.loss
    assert "max_error" not in attacked.figures
