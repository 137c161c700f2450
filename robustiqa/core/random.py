"""Random streams that depend on (seed, attack, sample id, restart) alone: not on the batch, nor on the global state."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor


def derive_seed(*parts: object) -> int:
    """A 63-bit seed from any printable parts, the same on every machine (sha256 of their joined reprs)."""
    digest = hashlib.sha256("\x1f".join(map(repr, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def own_random_numbers() -> Iterator[None]:
    """Initialise networks from a fixed seed, and leave the caller's global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


@dataclass(frozen=True)
class RandomStreams:
    """One stream of random numbers per sample of a batch.

    Streams are drawn on the CPU and moved, so that a GPU run sees the same numbers.
    """

    seed: int
    attack: str
    ids: tuple[str, ...]
    restart: int = 0

    def of(self, attack: str) -> "RandomStreams":
        """The streams that ``attack`` would get if it ran alone: an ensemble's members repeat their own runs."""
        return replace(self, attack=attack, restart=0)

    def with_restart(self, restart: int) -> "RandomStreams":
        return replace(self, restart=restart)

    def seeds(self) -> tuple[int, ...]:
        """The seed of each sample's stream, in batch order."""
        return tuple(derive_seed(self.seed, self.attack, sample, self.restart) for sample in self.ids)

    def generators(self) -> tuple[torch.Generator, ...]:
        """A fresh CPU generator for each sample, in batch order."""
        return tuple(torch.Generator().manual_seed(seed) for seed in self.seeds())

    def uniform_like(self, x: Tensor) -> Tensor:
        """U[0, 1) of the shape, dtype and device of ``x`` [N, ...]; row i comes from the stream of sample i."""
        rows = [torch.rand(x.shape[1:], generator=generator, dtype=x.dtype) for generator in self.generators()]
        return torch.stack(rows).to(x.device)
