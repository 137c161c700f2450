"""Scores of randomised models: fresh draws while an attack searches, the same ones wherever scores are compared.

A search that follows the mean over several draws is EOT (Athalye et al., ICML 2018, arXiv 1707.07397). What is reported
is the mean over draws that the search never saw, common to the clean and the attacked image of a sample, so that their
difference is not noise.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Final, NamedTuple

import torch
from torch import Tensor

from robustiqa.core.model import QualityModel, Reference, check_scores
from robustiqa.core.random import derive_seed

REPORTED_DRAWS: Final = 16


class Reported(NamedTuple):
    """Native scores [N], their standard deviation over draws [N] (0 for a deterministic model), and how many draws."""

    score: Tensor
    spread: Tensor
    draws: int


def sample_seeds(seed: int, ids: Sequence[str]) -> tuple[int, ...]:
    """One seed per sample, from the run's seed and the sample's id alone."""
    return tuple(derive_seed(seed, "draws", sample) for sample in ids)


def reported_draws(model: QualityModel, reference: Reference, seeds: Sequence[int]) -> Iterator[Reference]:
    """The references with the seeds of each reported draw; once, as they are, for a deterministic model."""
    if model.info.deterministic:
        yield reference
        return
    for draw in range(REPORTED_DRAWS):
        yield reference.seeded([derive_seed(seed, "reported", draw) for seed in seeds])


def reported_scores(model: QualityModel, reference: Reference, dist: Tensor, seeds: Sequence[int]) -> Reported:
    """What ``model`` says of ``dist`` [N, 3, H, W], without gradient; ``seeds`` [N] come from :func:`sample_seeds`."""
    with torch.no_grad():
        draws = [
            check_scores(model.compare(one, dist), len(dist), model.info.name)
            for one in reported_draws(model, reference, seeds)
        ]
    mean = mean_of(draws)
    variance = sum((draw - mean) ** 2 for draw in draws) / max(1, len(draws) - 1)
    return Reported(mean, torch.as_tensor(variance) ** 0.5, len(draws))


def mean_of(draws: Sequence[Tensor]) -> Tensor:
    """Elementwise mean, added in order: a reduction over a stack would round by the size of the batch."""
    return draws[0] if len(draws) == 1 else reduce(torch.add, draws) / len(draws)
