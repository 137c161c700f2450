"""Two-alternative forced choice under attack: which of two distorted images is nearer to the reference.

The paper's Table 6 attacks metrics on BAPPS so that they prefer the image that people did not. R-LPIPS (Ghazanfari et
al., 2023) attacks either image, both in turn, or the reference; here both are moved jointly, each within ε, which is
twice the budget. What is maximised is the margin by which the metric's quality of the other image exceeds that of the
image that people prefer: it is above 0 where the metric disagrees with them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Literal, get_args

import torch
from torch import Tensor

from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import check_pair
from robustiqa.core.model import QualityModel, Reference
from robustiqa.core.objective import Cost, Objective

Target = Literal["preferred", "p0", "p1", "both", "ref"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)


@dataclass(frozen=True)
class _Part:
    """One of the two images: its objective, the image itself, and where it finds its candidate in x, if anywhere."""

    objective: Objective
    image: Tensor
    of: Callable[[Tensor], Tensor]
    attacked: Tensor  # [N], bool

    def place(self, x: Tensor) -> Tensor:
        """The image of the whole batch under the attack ``x``."""
        return torch.where(self.attacked[:, None, None, None], self.of(x), self.image)

    def margin(self, x: Tensor) -> Tensor:
        """What the evaluated model's score of the image adds to J [N]."""
        orientation = self.objective.score_with.info.orientation
        return orientation * self.objective.signs * self.objective.reported(self.place(x)).score


class TwoAFC:
    """The margin of triplets (ref, p0, p1), with the face of :class:`Objective`, so that every attack serves both.

    Args:
        model: the attacked model.
        ref, p0, p1: references and the two distorted images, each [N, 3, H, W] in [0, 1].
        human: share [N] of people who find ``p1`` nearer to the reference; up to 0.5 counts as a vote for ``p0``, as
            R-LPIPS rounds it (leave ties out of accuracies).
        target: which image is attacked: the one that people ``"preferred"``, ``"p0"``, ``"p1"``, ``"both"`` at once,
            or ``"ref"``.
        score_with: an oblivious evaluation, as in :class:`Objective`.
        eot: draws of a randomised model, as in :class:`Objective`; both images meet the same draws.

    Attack :attr:`clean`: for ``both`` the two images stand one above the other, [N, 3, 2H, W]. What a result reports as
    scores is the margin in favour of the preferred image: it falls under attack, and is above 0 where the metric agrees
    with people. A pass is one comparison of a model: one for a single image, two for ``both`` and ``ref``.

    Raises:
        InvalidInput: an unknown target, images of different shapes, or shares that are not N numbers in [0, 1].
    """

    def __init__(
        self,
        model: QualityModel,
        ref: Tensor,
        p0: Tensor,
        p1: Tensor,
        human: Tensor,
        target: Target = "preferred",
        score_with: QualityModel | None = None,
        eot: int | None = None,
    ) -> None:
        if target not in TARGETS:
            raise InvalidInput(f"target {target!r} is not one of {', '.join(TARGETS)}.")
        check_pair(ref, p0, model.info.min_size)
        check_pair(ref, p1, model.info.min_size)
        if human.shape != (len(ref),) or not bool(((human >= 0) & (human <= 1)).all()):
            raise InvalidInput(f"human has shape {tuple(human.shape)}; wanted {len(ref)} shares in [0, 1].")
        self.model, self.count = model, len(ref)
        prefer_p1 = human > 0.5
        self.clean, self.ref = _attacked_images(target, ref, p0, p1, prefer_p1)
        attacked = _attacked_parts(target, prefer_p1)
        self._parts = []
        for i, image in enumerate((p0, p1)):
            signs = torch.where(prefer_p1 == bool(i), -1, 1)  # the preferred image is to look worse, the other better
            objective = _objective(target, model, ref, image, signs, score_with, eot)
            self._parts.append(_Part(objective, image, _half(i) if target == "both" else _whole, attacked[i]))
        self.seed_draws(range(self.count))

    def seed_draws(self, seeds: Sequence[int]) -> None:
        """Start each triplet's random draws anew, from one seed [N] each, the same for both images."""
        everyone = torch.arange(self.count, device=self.ref.device)
        self._still = torch.zeros(self.count, device=self.ref.device)
        for part in self._parts:
            part.objective.seed_draws(seeds)
            if not bool(part.attacked.all()):
                with part.objective.as_harness():
                    j = part.objective.value(part.place(self.clean), everyone)
                self._still = self._still + torch.where(part.attacked, torch.zeros_like(j), j)

    @property
    def signs(self) -> Tensor:
        """-1 [N] where the attacked image is to look worse, +1 where better.

        Raises:
            InvalidInput: ``both`` are attacked, one up and one down.
        """
        first, second = self._parts
        if bool((first.attacked & second.attacked).any()):
            raise InvalidInput("learned attacks move an image up or down; a pair attacked at once needs each way once.")
        return torch.where(first.attacked, first.objective.signs, second.objective.signs)

    @property
    def passes(self) -> int:
        """Forward passes of one value of the search: those of each image that is attacked."""
        first, second = (part.attacked.long() * part.objective.passes for part in self._parts)
        return int((first + second).max())

    @property
    def exposes_features(self) -> bool:
        """Never: a margin between two images is no distance to one reference."""
        return False

    def nearness_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 (as Score has it)
        """Raises InvalidInput, as for a model without features."""
        raise InvalidInput("a 2AFC margin has no features; attack the margin instead.")

    @property
    def cost(self) -> Cost:
        """Passes spent by the search, over both images."""
        first, second = (part.objective.cost for part in self._parts)
        return first + second

    @property
    def harness_cost(self) -> Cost:
        """Passes spent on checking the search's results."""
        first, second = (part.objective.harness_cost for part in self._parts)
        return first + second

    def note_saturated(self, index: Tensor) -> None:
        """As in :class:`Objective`."""
        self._parts[0].objective.note_saturated(index)

    @contextmanager
    def as_harness(self, *, exact: bool = True) -> Iterator[None]:
        """Count the passes made inside apart from those of the search."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.objective.as_harness(exact=exact))
            yield

    def value(self, x: Tensor, index: Tensor) -> Tensor:
        """J [M]: the margin in favour of the image that people did not prefer."""
        j = self._still[index].clone()
        for part in self._parts:
            rows = part.attacked[index].nonzero().flatten()
            if len(rows):
                j[rows] += part.objective.value(part.of(x)[rows], index[rows])
        return j

    def value_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """J [M] and its gradient in the shape of ``x``."""
        j, gradient = self._still[index].clone(), torch.zeros_like(x)
        for part in self._parts:
            rows = part.attacked[index].nonzero().flatten()
            if len(rows):
                more, slope = part.objective.value_and_grad(part.of(x)[rows], index[rows])
                j[rows] += more
                view = part.of(gradient)  # a view: what is added there is added to the gradient
                view[rows] += slope
        return j, gradient

    def evaluated(self, x: Tensor, j: Tensor) -> Tensor:
        """Margin [N] in favour of the preferred image as the evaluated model sees it; ``j`` is the harness's J."""
        if all(part.objective.score_with is part.objective.model for part in self._parts):
            return -j
        first, second = (part.margin(x) for part in self._parts)
        return -(first + second)

    def scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Native scores [N] of p0 and p1 under the attack ``x``, by the evaluated model, for 2AFC accuracies."""
        with self.as_harness():
            first, second = (part.objective.reported(part.place(x)).score for part in self._parts)
        return first, second

    def spread(self, x: Tensor) -> Tensor:
        """Standard deviation [N] of the reported margin over draws, were the two images' draws independent."""
        first, second = (part.objective.spread(part.place(x)) for part in self._parts)
        return (first**2 + second**2) ** 0.5


class _Swapped(QualityModel):
    """A model whose roles are exchanged: the distorted image is held, the reference is what varies."""

    def __init__(self, model: QualityModel) -> None:
        super().__init__()
        self.model, self.info = model, model.info

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        return self.model.compare(self.model.prepare(dist).seeded(reference.seeds), reference.image)


def _objective(
    target: Target,
    model: QualityModel,
    ref: Tensor,
    image: Tensor,
    signs: Tensor,
    score_with: QualityModel | None,
    eot: int | None,
) -> Objective:
    if target != "ref":
        return Objective(model, ref, signs, score_with, eot)
    return Objective(_Swapped(model), image, signs, None if score_with is None else _Swapped(score_with), eot)


def _attacked_images(
    target: Target, ref: Tensor, p0: Tensor, p1: Tensor, prefer_p1: Tensor
) -> tuple[Tensor, Tensor]:
    """What is attacked, and images of its shape that stand for the references."""
    if target == "both":
        return torch.cat((p0, p1), dim=2), torch.cat((ref, ref), dim=2)
    if target == "ref":
        return ref, p0
    if target == "preferred":
        return torch.where(prefer_p1[:, None, None, None], p1, p0), ref
    return (p1 if target == "p1" else p0), ref


def _attacked_parts(target: Target, prefer_p1: Tensor) -> tuple[Tensor, Tensor]:
    """Which samples' p0, and which samples' p1, depend on what is attacked."""
    everyone = torch.ones_like(prefer_p1)
    masks = {"preferred": (~prefer_p1, prefer_p1), "p0": (everyone, ~everyone), "p1": (~everyone, everyone)}
    return masks.get(target, (everyone, everyone))


def _whole(x: Tensor) -> Tensor:
    return x


def _half(i: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.tensor_split(2, dim=2)[i]
