"""Checks of an attack on small images and scores whose answers are known."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, get_args

import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, AttackResult
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.errors import FaultyAttack
from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.core.objective import Objective
from robustiqa.core.random import RandomStreams
from robustiqa.testing.findings import (
    Finding,
    Images,
    close,
    collect,
    declaration,
    random_state,
    refuse,
    sample_images,
    shown,
)

SIDE: Final = 32
EPS: Final = 8 / 255
DIRECTIONS: Final = ("up", "down")


class _Smooth(QualityModel):
    """A quality with a gradient everywhere, which any step along it changes."""

    info = ModelInfo("smooth", lower_better=False, paper="of the checks")

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        wave = torch.linspace(0, 40, dist[0].numel(), dtype=dist.dtype, device=dist.device).sin().view(dist.shape[1:])
        change = (dist - reference.image) * wave
        return (change - 0.5 * change**2).flatten(1).sum(1)


class _Flat(QualityModel):
    """The same score for every image: its gradient is zero."""

    info = ModelInfo("flat", lower_better=False, paper="of the checks")

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:  # noqa: ARG002
        return dist.flatten(1).sum(1) * 0


class _Noted(Objective):
    """An objective that notes which candidates it was asked for, with the samples that they are for."""

    def __init__(self, ref: Tensor) -> None:
        super().__init__(_Smooth(), ref)
        self.asked: list[tuple[Tensor, Tensor]] = []

    def value(self, x: Tensor, index: Tensor) -> Tensor:
        self.asked.append((x.detach().clone(), index))
        return super().value(x, index)

    def value_and_grad(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append((x.detach().clone(), index))
        return super().value_and_grad(x, index)


def check_attack(attack: Attack) -> None:
    """Nothing, if the attack keeps the contract of :class:`Attack`.

    It is run on scores of three images of 32 x 41 pixels, some dozen times: give an attack of thousands of steps or
    queries fewer of them.

    Raises:
        FaultyAttack: it does not; the message lists everything that was found.
    """
    refuse("attack", getattr(attack, "name", type(attack).__name__), find_attack_faults(attack), FaultyAttack)


def find_attack_faults(attack: Attack) -> list[Finding]:
    """All faults of an attack. One that is declared wrongly or does not run is not looked at further."""
    found = [Finding("declaration", message) for message in _declaration(attack)]
    images = sample_images(SIDE)
    for name, check in CHECKS.items():
        if found and found[0].check in {"declaration", "runs"}:
            break
        found += collect(name, partial(check, attack, images))
    return found


def _declaration(attack: Attack) -> Iterator[str]:
    problems = list(declaration("attack", Attack, attack))
    yield from problems
    if problems:
        return
    if getattr(attack, "access", None) not in get_args(Access):
        yield f"access is {getattr(attack, 'access', None)!r}; wanted {' or '.join(get_args(Access))}."
    if not getattr(attack, "paper", ""):
        yield "paper is empty; say where the attack comes from."
    for name in ("run", "propose"):
        if getattr(type(attack), name) is not getattr(Attack, name):
            yield f"it overrides {name}(), which clips, keeps the best and counts; write _search() alone."


def _run(attack: Attack, images: Images, direction: str = "up", rows: slice = slice(None)) -> AttackResult:
    objective = Objective(_Smooth(), images.ref[rows], direction)
    return attack.run(objective, images.dist[rows], EPS, ids=_ids(images)[rows])


def _ids(images: Images) -> tuple[str, ...]:
    return tuple(str(i) for i in range(len(images.ref)))


def _search_alone(attack: Attack, images: Images) -> tuple[Ball, _Noted, object]:
    """What the author's own ``_search`` asks for and returns, before ``run`` mends it."""
    objective, ball = _Noted(images.ref), attack._ball(images.dist, EPS)  # noqa: SLF001 (they are what is checked)
    search = Search(objective, ball, Objective.value(objective, images.dist, torch.arange(len(images.dist))))
    streams = RandomStreams(0, attack.name, _ids(images))
    return ball, objective, attack._search(search, images.dist.clone(), ball, streams)  # noqa: SLF001


def _runs(attack: Attack, images: Images) -> Iterator[str]:
    _, _, last = _search_alone(attack, images)
    if not isinstance(last, Tensor) or last.shape != images.dist.shape:
        shape = tuple(last.shape) if isinstance(last, Tensor) else type(last).__name__
        yield f"_search() returned {shape}; wanted the last iterate, a tensor {tuple(images.dist.shape)}."
        return
    _run(attack, images)


def _gain(attack: Attack, images: Images) -> Iterator[str]:
    for direction, sign in zip(DIRECTIONS, (1, -1), strict=True):
        result = _run(attack, images, direction)
        gain = sign * (result.attacked_score - result.clean_score)
        if bool((gain <= 0).any()):
            yield (
                f"direction {direction}: J rose by {shown(gain)} on a smooth score, where one step along the "
                "gradient's sign raises it; search.value is J, to be maximised whatever the direction."
            )


def _ball(attack: Attack, images: Images) -> Iterator[str]:
    ball, objective, _ = _search_alone(attack, images)
    inside = [ball.contains(x, index) for x, index in objective.asked]
    total = sum(map(len, inside))
    outside = total - sum(int(rows.sum()) for rows in inside)
    if outside:
        yield (
            f"{outside} of {total} candidates left the ball of eps or [0, 1]: they cost passes and can never be the "
            "result; put them through ball.project() before search.value."
        )


def _batch(attack: Attack, images: Images) -> Iterator[str]:
    together = _run(attack, images)
    apart = [_run(attack, images, rows=slice(i, i + 1)) for i in range(len(images.ref))]
    alone = torch.cat([result.attacked_score for result in apart])
    if not close(together.attacked_score, alone):
        yield (
            f"a batch ends at {shown(together.attacked_score)}, its samples one by one at {shown(alone)}: a step "
            "depends on other samples, or random numbers do not come from random alone."
        )


def _determinism(attack: Attack, images: Images) -> Iterator[str]:
    before = random_state()
    first, again = (_run(attack, images) for _ in range(2))
    if random_state() != before:
        yield "it draws from a global generator; take random.uniform_like(x) or random.generators() instead."
    if not torch.equal(first.adversarial, again.adversarial):
        yield "two runs of one seed end in different images; all randomness must come from random."


def _access(attack: Attack, images: Images) -> Iterator[str]:
    backwards = int(_run(attack, images).cost.backwards.sum())
    if attack.access == "black-box" and backwards:
        yield f"declared black-box, but it took {backwards} gradients; declare white-box."


def _dead_gradient(attack: Attack, images: Images) -> Iterator[str]:
    result = attack.run(Objective(_Flat(), images.ref), images.dist, EPS)
    if not bool(result.last_score.isfinite().all()):
        yield "where the gradient is zero its last iterate is not finite; do not divide by the gradient's norm."


def _extreme_eps(attack: Attack, images: Images) -> Iterator[str]:
    for eps in (0.5 / 255, 1.0):
        attack.run(Objective(_Smooth(), images.ref), images.dist, eps)
    yield from ()


CHECKS: Final[dict[str, Callable[[Attack, Images], Iterator[str]]]] = {
    "runs": _runs,
    "gain": _gain,
    "ball": _ball,
    "batch": _batch,
    "determinism": _determinism,
    "access": _access,
    "dead-gradient": _dead_gradient,
    "eps": _extreme_eps,
}
