"""What an attack sees: a per-sample objective J to maximise, with its cost counted."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from robustiqa.core.draws import Reported, mean_of, reported_draws, reported_scores
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ExposesFeatures, QualityModel, Reference, check_scores
from robustiqa.core.precision import EXACT, Haste, hastened
from robustiqa.core.random import derive_seed

DIRECTIONS = {"up": 1, "down": -1}


@dataclass
class Cost:
    """Model passes per sample [N]; ``dead`` counts gradients that were zero everywhere or not finite.

    ``saturated`` counts those that the objective had and the loss of an attack library lost on the way.
    """

    forwards: Tensor
    backwards: Tensor
    dead: Tensor
    saturated: Tensor

    def copy(self) -> "Cost":
        """The counts as they are now; the original goes on counting."""
        return Cost(*(count.clone() for count in self.counts()))

    def since(self, start: "Cost") -> "Cost":
        """What has been spent since ``start`` was copied."""
        return Cost(*(now - before for now, before in zip(self.counts(), start.counts(), strict=True)))

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(one + more for one, more in zip(self.counts(), other.counts(), strict=True)))

    @classmethod
    def zeros(cls, count: int) -> "Cost":
        return cls(*(torch.zeros(count, dtype=torch.int64) for _ in range(4)))

    def counts(self) -> tuple[Tensor, ...]:
        """All counters, each [N]."""
        return self.forwards, self.backwards, self.dead, self.saturated


class Score(Protocol):
    """The face of every objective: a score, or a margin between two scores. See :class:`Objective`."""

    model: QualityModel
    ref: Tensor
    count: int

    @property
    def signs(self) -> Tensor:
        """+1 [N] where the quality of the attacked image is to be raised, -1 where it is to be lowered."""

    @property
    def passes(self) -> int:
        """Forward passes of one value of the search."""

    @property
    def exposes_features(self) -> bool:
        """Whether :meth:`nearness_and_grad` can be asked."""

    def nearness_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """How near ``x`` is to its reference in feature space [M], oriented like J, and its gradient."""

    @property
    def cost(self) -> Cost:
        """Passes spent by the search."""

    def value(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M] of the candidates ``x`` [M, 3, H, W] for the samples ``index`` [M]."""

    def value_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """J [M] and dJ/dx [M, 3, H, W]."""

    def as_harness(self, *, exact: bool = True) -> AbstractContextManager[None]:
        """Count the passes made inside apart from those of the search; without haste where ``exact``."""

    def seed_draws(self, seeds: Sequence[int]) -> None:
        """Start each sample's random draws anew."""

    def evaluated(self, x: Tensor, j: Tensor) -> Tensor:
        """What is reported [N] of the whole batch ``x``, whose J the harness found to be ``j``."""

    def spread(self, x: Tensor) -> Tensor:
        """Standard deviation [N] of what is reported, over draws."""

    def note_saturated(self, index: Tensor) -> None:
        """Count a gradient of samples ``index`` [M] that was there and that a library's loss lost."""


@dataclass
class _Books:
    search: Cost
    harness: Cost
    open: Cost = field(init=False)

    def __post_init__(self) -> None:
        self.open = self.search


class Objective:
    """J = sign * orientation * score of the pairs (ref_i, x), to be maximised sample by sample.

    Args:
        model: the attacked model; its gradients are followed.
        ref: references [N, 3, H, W] in [0, 1]; their features are computed here, once.
        direction: ``"up"`` raises the quality that the model reports, ``"down"`` lowers it; or one sign (+1 up, -1
            down) per sample.
        score_with: an oblivious evaluation: attack ``model``, report the scores of this one (the defended model).
        eot: draws of a randomised model that a value or gradient of the search is the mean of, each one pass; None
            for what the model declares.
        haste: how the search calls ``model``; what it finds is scored without haste.

    ``value`` and ``value_and_grad`` take any subset of the batch; ``index`` [M] names the reference of each row, so
    that an attack which drops or repeats samples cannot mispair them. A randomised model draws afresh at each call of
    the search, alike for all rows of a sample; the harness's calls are means over the reported draws.
    """

    def __init__(
        self,
        model: QualityModel,
        ref: Tensor,
        direction: str | Sequence[int] | Tensor = "up",
        score_with: QualityModel | None = None,
        eot: int | None = None,
        haste: Haste = EXACT,
    ) -> None:
        self.model = model
        self._searched = hastened(model, haste)
        self.score_with = score_with or model
        self.count = len(ref)
        self.ref = ref
        self.signs = _signs(direction, self.count).to(ref.device)
        with torch.no_grad():
            self._reference = model.prepare(ref)
            self._scored_reference = (
                self._reference if self.score_with is model else self.score_with.prepare(ref)
            )
            self._searched_reference = self._reference if self._searched is model else self._searched.prepare(ref)
        self._books = _Books(Cost.zeros(self.count), Cost.zeros(self.count))
        self._eot = model.info.eot if eot is None else eot
        self._own_layers: tuple[Tensor, ...] | None = None
        self._exact = False
        self.seed_draws(range(self.count))

    def seed_draws(self, seeds: Sequence[int]) -> None:
        """Start each sample's random draws anew, from one seed [N] each; only randomised models draw."""
        self._seeds, self._drawn = tuple(seeds), [0] * self.count

    @property
    def cost(self) -> Cost:
        """Passes spent by the search."""
        return self._books.search

    @property
    def harness_cost(self) -> Cost:
        """Passes spent on checking the search's results: clean, final and 8-bit scores."""
        return self._books.harness

    @contextmanager
    def as_harness(self, *, exact: bool = True) -> Iterator[None]:
        """Count the passes made inside apart from those of the search.

        Args:
            exact: without haste; False for values that are compared with those of the search.
        """
        self._books.open, self._exact = self._books.harness, exact
        try:
            yield
        finally:
            self._books.open, self._exact = self._books.search, False

    def value(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M] of ``x`` [M, 3, H, W] in [0, 1], without gradient."""
        with torch.no_grad():
            draws = [self._j(x, reference, index) for reference in self._draws(index)]
        _add(self._books.open.forwards, index, len(draws))
        return mean_of(draws)

    def value_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient [M, 3, H, W] with respect to ``x``."""
        x = x.detach().requires_grad_()
        values, gradients = [], []
        for reference in self._draws(index):
            with torch.enable_grad():
                j = self._j(x, reference, index)
                gradients.append(_gradient(j, x))
            values.append(j.detach())
        gradient = mean_of(gradients)
        _add(self._books.open.forwards, index, len(values))
        _add(self._books.open.backwards, index, len(values))
        _add(self._books.open.dead, index[_is_dead(gradient)])
        return mean_of(values), gradient

    def note_saturated(self, index: Tensor) -> None:
        """Count a gradient of samples ``index`` [M] that was there and that a library's loss lost."""
        _add(self._books.open.saturated, index)

    @property
    def passes(self) -> int:
        """Forward passes of one value of the search: the draws that it is the mean of."""
        return 1 if self.model.info.deterministic else self._eot

    @property
    def exposes_features(self) -> bool:
        """Whether the model shows its features, so that :meth:`nearness_and_grad` can be asked."""
        return isinstance(self.model, ExposesFeatures)

    def nearness_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """How near ``x`` is to its reference in the model's features, oriented like J, and its gradient.

        Minus the mean squared difference to the reference's own features, each layer in units of its mean square,
        summed; times the sign of the sample. Counted as a forward and a backward pass.

        Raises:
            InvalidInput: the model shows no features.
        """
        model = self._searched
        if not isinstance(model, ExposesFeatures):
            raise InvalidInput(f"model {self.model.info.name!r} has no feature_layers; attack its score instead.")
        if self._own_layers is None:
            with torch.no_grad():
                self._own_layers = model.feature_layers(self._searched_reference, self.ref)
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            layers = model.feature_layers(self._searched_reference.select(index), x)
            pairs = zip(layers, self._own_layers, strict=True)
            nearness = -self.signs[index] * sum(_difference(own[index], layer) for layer, own in pairs)
            gradient = _gradient(nearness, x)
        for counter in (self._books.open.forwards, self._books.open.backwards):
            _add(counter, index)
        return nearness.detach(), gradient

    def evaluated(self, x: Tensor, j: Tensor) -> Tensor:
        """Native scores [N] of the whole batch ``x`` as the evaluated model reports them; ``j`` is the harness's J.

        Where the attacked model is the evaluated one, J holds the scores already.
        """
        if self.score_with is self.model:
            return self.model.info.orientation * self.signs * j
        return self.reported(x).score

    def reported(self, x: Tensor) -> Reported:
        """Native scores of the whole batch ``x`` by the evaluated model, with their spread over draws."""
        reported = reported_scores(self.score_with, self._scored_reference, x, self._seeds)
        _add(self._books.open.forwards, torch.arange(self.count), reported.draws)
        return reported

    def spread(self, x: Tensor) -> Tensor:
        """Standard deviation [N] over draws of the evaluated model's scores; 0, and no pass, where it draws nothing."""
        return self.signs.new_zeros(self.count) if self.score_with.info.deterministic else self.reported(x).spread

    def _draws(self, index: Tensor) -> Iterator[Reference]:
        """The references of ``index``, once for each draw that a value is the mean of."""
        reference = (self._reference if self._exact else self._searched_reference).select(index)
        if self.model.info.deterministic:
            yield reference
            return
        rows = index.tolist()
        seeds = [self._seeds[i] for i in rows]
        if self._books.open is self._books.harness:
            yield from reported_draws(self.model, reference, seeds)
            return
        drawn = [self._drawn[i] for i in rows]
        for i in set(rows):
            self._drawn[i] += self._eot
        for draw in range(self._eot):
            yield reference.seeded([derive_seed(s, "search", n + draw) for s, n in zip(seeds, drawn, strict=True)])

    def _j(self, x: Tensor, reference: Reference, index: Tensor) -> Tensor:
        model = self.model if self._exact else self._searched
        scores = check_scores(model.compare(reference, x), len(index), self.model.info.name)
        return self.model.info.orientation * self.signs[index] * scores


def _signs(direction: str | Sequence[int] | Tensor, count: int) -> Tensor:
    if isinstance(direction, str):
        if direction not in DIRECTIONS:
            known = ", ".join(DIRECTIONS)
            raise InvalidInput(f"direction {direction!r} is not one of {known}, or one sign per sample.")
        return torch.full((count,), float(DIRECTIONS[direction]))
    signs = torch.as_tensor(direction, dtype=torch.float32)
    if signs.shape != (count,) or not bool((signs.abs() == 1).all()):
        raise InvalidInput(f"direction has shape {tuple(signs.shape)}; wanted {count} signs, each +1 or -1.")
    return signs


def _gradient(j: Tensor, x: Tensor) -> Tensor:
    if not j.requires_grad:  # the model is constant here: a truly zero gradient, counted as dead
        return torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(j.sum(), x, allow_unused=True, materialize_grads=True)
    return gradient


def _difference(own: Tensor, layer: Tensor) -> Tensor:
    """Mean square [M] of the difference of two layers [M, ...] over that of the first."""
    scale = (own**2).flatten(1).mean(1) + torch.finfo(own.dtype).tiny
    return ((layer - own) ** 2).flatten(1).mean(1) / scale


def _is_dead(gradient: Tensor) -> Tensor:
    rows = gradient.flatten(1)
    return ~rows.isfinite().all(1) | (rows == 0).all(1)


def _add(counter: Tensor, index: Tensor, passes: int = 1) -> None:
    counter.index_add_(0, index.cpu(), torch.full((len(index),), passes, dtype=counter.dtype))
