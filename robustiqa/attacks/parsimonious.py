"""Parsimonious black-box attack (Moon, An and Song, ICML 2019, arXiv 1905.06635): lazy greedy on block signs."""

import heapq
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, at_least
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.random import RandomStreams

Block = tuple[int, slice, slice]
Asking = Generator[list[Tensor], list[float], None]  # yields sign masks [3, H, W], receives their J
ROWS: Final = 32  # images in one call of the model


@dataclass(frozen=True)
class Parsimonious(Attack):
    """Every pixel is at a face of the ball; blocks of one channel change sides while that raises J, largest rise first.

    A block's last known rise bounds its next one (J is taken for submodular), so that few blocks are asked about again.
    Blocks start ``block`` pixels wide and halve once all were seen; ``batch`` of them are weighed at a time. Those at
    the edges are as ragged as the image. ``queries`` are forward passes per sample.
    """

    name: ClassVar[str] = "parsimonious"
    access: ClassVar[Access] = "black-box"
    paper: ClassVar[str] = "Moon et al., ICML 2019, arXiv 1905.06635"

    queries: int = 10_000
    block: int = 32
    batch: int = 64

    def __post_init__(self) -> None:
        at_least(self, queries=1, block=1, batch=1)

    @property
    def calls(self) -> Calls:
        return Calls(values=self.queries)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        greedy = [
            _Greedy(self.queries, self.batch, torch.zeros(x.shape[1:], dtype=torch.bool), generator)
            for generator in random.generators()
        ]
        searches = [one.run(self.block) for one in greedy]
        asked = {i: next(search_) for i, search_ in enumerate(searches)}
        while asked:
            answers = _ask(search, ball, asked)
            asked = {}
            for i, scores in answers.items():
                try:
                    asked[i] = searches[i].send(scores)
                except StopIteration:  # this sample's queries are spent; the others go on
                    continue
        return torch.where(torch.stack([one.up for one in greedy]).to(x.device), ball.high, ball.low)


class _Greedy:
    """The search of one sample; ``up`` [3, H, W] says which pixels are at the upper face."""

    def __init__(self, queries: int, batch: int, up: Tensor, generator: torch.Generator) -> None:
        self.up, self._left, self._batch, self._generator = up, queries, batch, generator
        self._j = -float("inf")

    def run(self, block: int) -> Asking:
        """Until the queries are spent: insert and delete per batch of blocks, then halve the blocks."""
        (self._j,) = yield self._pay([self.up.clone()])
        while self._left:
            blocks = list(_blocks(self.up.shape, block))
            order = torch.randperm(len(blocks), generator=self._generator).tolist()
            for start in range(0, len(order), self._batch):
                batch = [blocks[i] for i in order[start : start + self._batch]]
                for wanted in (False, True):  # insert those that are down, then delete those that are up
                    yield from self._pass([one for one in batch if bool(self.up[one].flatten()[0]) is wanted])
            block = max(1, block // 2)

    def _pass(self, blocks: list[Block]) -> Asking:
        """Flip the blocks that raise J, by lazy greedy: rises are remeasured only while they may be the largest."""
        blocks = blocks[: self._left]
        if not blocks:
            return
        scores = yield self._pay([self._flipped(one) for one in blocks])
        heap = [(self._j - score, i) for i, score in enumerate(scores)]  # the smallest is the largest rise
        heapq.heapify(heap)
        loss, first = heap[0]
        if not loss < 0:
            return
        heapq.heappop(heap)
        self._accept(blocks[first], scores[first])
        while heap and self._left:
            _, i = heapq.heappop(heap)
            (score,) = yield self._pay([self._flipped(blocks[i])])
            loss = self._j - score
            if heap and loss > heap[0][0]:
                heapq.heappush(heap, (loss, i))
            elif loss < 0:
                self._accept(blocks[i], score)
            else:
                return

    def _accept(self, block: Block, score: float) -> None:
        self.up[block] = ~self.up[block]
        self._j = score  # measured, not added up

    def _flipped(self, block: Block) -> Tensor:
        mask = self.up.clone()
        mask[block] = ~mask[block]
        return mask

    def _pay(self, masks: list[Tensor]) -> list[Tensor]:
        self._left -= len(masks)
        return masks


def _ask(search: Search, ball: Ball, asked: dict[int, list[Tensor]]) -> dict[int, list[float]]:
    """J of every mask of every sample, ``ROWS`` at a time; what is not finite counts as the worst."""
    flat = [(i, mask) for i, masks in asked.items() for mask in masks]
    answers: dict[int, list[float]] = {i: [] for i in asked}
    for start in range(0, len(flat), ROWS):
        part = flat[start : start + ROWS]
        index = torch.tensor([i for i, _ in part], device=ball.center.device)
        masks = torch.stack([mask for _, mask in part]).to(ball.center.device)
        scores = search.value(torch.where(masks, ball.high[index], ball.low[index]), index)
        for (i, _), score in zip(part, scores.nan_to_num(nan=-torch.inf, posinf=-torch.inf).tolist(), strict=True):
            answers[i].append(score)
    return answers


def _blocks(shape: torch.Size, side: int) -> Iterator[Block]:
    """All blocks of one channel, ``side`` pixels wide or what is left of the image."""
    channels, height, width = shape
    for channel in range(channels):
        for top in range(0, height, side):
            for left in range(0, width, side):
                yield channel, slice(top, top + side), slice(left, left + side)
