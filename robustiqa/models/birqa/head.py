"""From tensors per level to one score: the reliability-aware head (section 3.2) and the plain head that ablates it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustiqa.models.birqa.pointwise import Pointwise
from robustiqa.models.birqa.pooling import GeM

MIDDLE = 3.0  # of KADID-10k's scale from 1 (worst) to 5 (best): where training starts from


class Verdict(NamedTuple):
    """Scores [N], with contributions c and reliabilities w [N, S] per level: score = sum of w c."""

    score: Tensor
    contributions: Tensor
    reliabilities: Tensor


class ReliabilityAwareHead(nn.Module):
    """Each level's contribution, weighted by the softmax of its reliability: a convex sum that can be read."""

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        self.project = nn.ModuleList(Pointwise(width, width) for _ in range(levels))
        self.pool = nn.ModuleList(GeM() for _ in range(levels))
        self.contribution = nn.ModuleList(_mlp(width) for _ in range(levels))
        self.reliability = nn.ModuleList(_mlp(width) for _ in range(levels))

    def forward(self, tensors: Sequence[Tensor]) -> Verdict:
        pooled = [
            pool(project(g)) for g, project, pool in zip(tensors, self.project, self.pool, strict=True)
        ]
        c = torch.cat([mlp(z) for mlp, z in zip(self.contribution, pooled, strict=True)], 1) + MIDDLE
        a = torch.cat([mlp(z) for mlp, z in zip(self.reliability, pooled, strict=True)], 1)
        w = torch.softmax(a, 1)
        return Verdict((w * c).sum(1), c, w)


class PlainHead(nn.Module):
    """Average pooling and one MLP over all levels; every level counts as equally reliable."""

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        self.mlp = _mlp(width * levels)

    def forward(self, tensors: Sequence[Tensor]) -> Verdict:
        score = self.mlp(torch.cat([g.mean((-2, -1)) for g in tensors], 1)).squeeze(1) + MIDDLE
        c = score[:, None].expand(-1, len(tensors))
        return Verdict(score, c, torch.full_like(c, 1 / len(tensors)))


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
