"""Losses: what they are invariant to, and where their gradient must be finite."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.training.losses import plcc, regression_loss


@given(st.lists(st.floats(-3, 8), min_size=4, max_size=30, unique=True), st.floats(0.1, 9), st.floats(-5, 5))
def test_plcc_is_invariant_to_scale_and_shift_and_loss_is_not(values, scale, shift):
    """Correlation with an affine copy is 1; the squared error brings the prediction to the labels' own scale."""
    label = torch.tensor(values, dtype=torch.float64)
    if label.std() < 1e-3:
        return
    assert float(plcc(scale * label + shift, label)) == pytest.approx(1, abs=1e-6)
    moved = float(regression_loss(label + shift, label) - regression_loss(label, label))
    assert moved == pytest.approx(0.7 * shift**2, abs=1e-6)


def test_gradient_of_the_loss_is_finite_for_constant_predictions():
    """A network's first step may predict one value for all."""
    prediction = torch.full((6,), 3.0, requires_grad=True)
    regression_loss(prediction, torch.arange(6.0)).backward()
    assert prediction.grad.isfinite().all()
