"""Attention among the positions of one scale, and from a coarser scale to a finer one (TOPIQ, section III-C)."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EXPANSION: Final = 4  # of the two-layer perceptron, as in Vaswani et al., 2017


class Attention(nn.Module):
    """Multi-head scaled dot-product attention, with the parameter names of ``torch.nn.MultiheadAttention``.

    That class answers with other kernels when no gradient is wanted, so that a score would depend on who asks.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """``query`` [N, Q, C] looks things up in ``memory`` [N, K, C]: [N, Q, C]."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for x, weight, bias in zip((query, memory, memory), weights, biases, strict=True)
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        projected: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return projected


class SelfAttentionBlock(nn.Module):
    """Pre-norm transformer block over the tokens of one scale (equation 5)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.linear1 = nn.Linear(width, EXPANSION * width)
        self.linear2 = nn.Linear(EXPANSION * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [N, K, C] to tokens of the same shape."""
        normed = self.norm1(tokens)
        tokens = tokens + self.self_attn(normed, normed)
        updated: Tensor = tokens + self.linear2(F.gelu(self.linear1(self.norm2(tokens))))
        return updated


class CrossScaleBlock(nn.Module):
    """Cross-scale attention (equation 6): coarse tokens ask, the tokens of the next finer scale answer.

    Args:
        spare: keep the self-attention that published checkpoints hold here and no score depends on.
    """

    def __init__(self, width: int, heads: int, *, spare: bool) -> None:
        super().__init__()
        if spare:
            self.self_attn = Attention(width, heads)
        self.multihead_attn = Attention(width, heads)
        self.linear1 = nn.Linear(width, EXPANSION * width)
        self.linear2 = nn.Linear(EXPANSION * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """``coarse`` [N, K, C] after looking into ``fine`` [N, K, C]."""
        coarse = coarse + self.multihead_attn(self.norm1(coarse), self.norm2(fine))
        updated: Tensor = coarse + self.linear2(F.gelu(self.linear1(self.norm3(coarse))))
        return updated


class Stack(nn.Module):
    """A stack of one block: the name ``layers.0`` that published checkpoints give it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList([block])

    def forward(self, *tokens: Tensor) -> Tensor:
        answer: Tensor = self.layers[0](*tokens)
        return answer
