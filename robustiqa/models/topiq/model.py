"""TOPIQ's network: gated local pooling, self-attention per scale, attention from coarse to fine, a regression head."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models.topiq.attention import CrossScaleBlock, SelfAttentionBlock, Stack

POSITIONS: Final = 32  # rows and columns of the learned position embedding
FLOOR: Final = 1e-12  # of squared differences: the published weights saw it, and it keeps the root's slope finite


@dataclass(frozen=True)
class Shape:
    """Sizes of the head; the defaults are the published ones.

    Attributes:
        channels: of the trunk's outputs, finest first.
        width: of the tokens.
        gate: hidden channels of the gates.
        heads: of every attention.
        pool: the tokens' grid is the trunk's coarsest, divided by this and rounded up.
        spare: see :class:`CrossScaleBlock`.
    """

    channels: tuple[int, ...]
    width: int = 256
    gate: int = 64
    heads: int = 4
    pool: int = 1
    spare: bool = True


class TOPIQ(QualityModel):
    """Coarse semantic tokens ask ever finer ones where the images differ (figure 3 of the paper).

    The names of sub-modules and parameters are those of the published checkpoints.

    Args:
        trunk: image [N, 3, H, W] in [0, 1] to features [N, C, H, W], finest first, ``shape.channels`` of them.
    """

    def __init__(self, info: ModelInfo, trunk: nn.Module, shape: Shape) -> None:
        super().__init__()
        width, half = shape.width, shape.width // 2
        self.info = info
        self.pool = shape.pool
        self.h_emb = nn.Parameter(0.02 * torch.randn(1, half, POSITIONS, 1))
        self.w_emb = nn.Parameter(0.02 * torch.randn(1, half, 1, POSITIONS))
        self.semantic_model = trunk
        scales = len(shape.channels)
        self.sa_attn_blks = nn.ModuleList(Stack(SelfAttentionBlock(width, shape.heads)) for _ in range(scales))
        self.dim_reduce = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3 * channels, width, 1), nn.GELU()) for channels in shape.channels
        )
        self.weight_pool = nn.ModuleList(_gate(channels, shape.gate) for channels in shape.channels)
        self.attn_blks = nn.ModuleList(
            Stack(CrossScaleBlock(width, shape.heads, spare=shape.spare)) for _ in range(scales - 1)
        )
        self.attn_pool = SelfAttentionBlock(width, shape.heads)
        self.score_linear = _regression(width)

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, tuple(self.semantic_model(ref)))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        features = self.semantic_model(dist)
        rows, columns = (-(-size // self.pool) for size in features[-1].shape[2:])
        pairs = zip(reference.features, features, strict=True)
        scales = [self._tokens(i, pair, (rows, columns)) for i, pair in enumerate(pairs)]
        answer = scales[-1]
        for block, finer in zip(self.attn_blks, reversed(scales[:-1]), strict=True):
            answer = block(answer, finer)
        scores: Tensor = self.score_linear(self.attn_pool(answer).mean(1)).squeeze(1)
        return scores

    def _tokens(self, scale: int, pair: tuple[Tensor, Tensor], grid: tuple[int, int]) -> Tensor:
        """Tokens [N, K, C] of one scale: both images and where they differ, weighted by a gate, pooled to the grid."""
        ref, dist = pair
        difference = ((dist - ref) ** 2 + FLOOR).sqrt()
        weighted = torch.cat((dist, ref, difference), 1) * self.weight_pool[scale](difference)
        pooled = F.adaptive_avg_pool2d(weighted, grid)
        tokens = self.dim_reduce[scale](pooled) + self._positions(grid)
        attended: Tensor = self.sa_attn_blks[scale](tokens.flatten(2).transpose(1, 2))
        return attended

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        size = (-1, -1, POSITIONS, POSITIONS)
        embedding = torch.cat((self.h_emb.expand(size), self.w_emb.expand(size)), 1)
        return F.interpolate(embedding, size=grid, mode="bicubic", align_corners=False)


def _gate(channels: int, hidden: int) -> nn.Sequential:
    """Where an image differs from its reference: a weight in (0, 1) per position (equation 3)."""
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1),
        nn.GELU(),
        nn.Conv2d(hidden, hidden, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(hidden, 1, 3, padding=1),
        nn.Sigmoid(),
    )


def _regression(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, width),
        nn.GELU(),
        nn.LayerNorm(width),
        nn.Linear(width, width),
        nn.GELU(),
        nn.Linear(width, 1),
    )
