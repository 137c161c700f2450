"""Losses of the paper: eq. (6)."""

import torch
from torch import Tensor


def plcc(prediction: Tensor, label: Tensor) -> Tensor:
    """Pearson's correlation of two vectors [N], differentiable; 0 where either is constant."""
    a, b = prediction - prediction.mean(), label - label.mean()
    correlation: Tensor = (a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-8)
    return correlation


def regression_loss(prediction: Tensor, label: Tensor, alpha: float = 0.7) -> Tensor:
    """Alpha MSE - (1 - alpha) PLCC, eq. (6); labels on KADID-10k's scale from 1 to 5."""
    return alpha * torch.mean((prediction - label) ** 2) - (1 - alpha) * plcc(prediction, label)
