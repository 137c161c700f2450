"""check_attack: sound attacks pass, and each fault is named by its own check."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.base import Attack
from robustiqa.core.errors import FaultyAttack
from robustiqa.testing import check_attack, find_attack_faults


@dataclass(frozen=True)
class Sound(Attack):
    """Two steps along the gradient's sign; the toys below break one thing each."""

    name: ClassVar[str] = "sound"
    access: ClassVar[str] = "white-box"
    paper: ClassVar[str] = "toy"

    steps: int = 2

    def _search(self, search, x, ball, random):
        for _ in range(self.steps):
            x = ball.project(x + self.step(x, search.value_and_grad(x)[1], ball, random))
        return x

    def step(self, x, gradient, ball, random):
        return ball.eps * gradient.sign()


class Nameless(Sound):
    """No name that could be typed."""

    name = "so:und"


class Unsaid(Sound):
    name = "unsaid"


class NoAccess(Sound):
    """Grey."""

    access = "grey-box"


class Lost(Sound):
    """A parameter that no dataclass knows."""

    momentum: float = 0.9


@dataclass(frozen=True)
class Required(Sound):
    """Cannot be named without its parameter."""

    rate: float = 1.0
    path: list = None

    def __post_init__(self):
        object.__setattr__(self, "path", self.path or [1])


class Overrides(Sound):
    """Runs itself."""

    def propose(self, search, x, ball, random):
        return x


class Raises(Sound):
    """Forgets that images may be of any size."""

    def step(self, x, gradient, ball, random):
        return gradient.view(-1, 3, 24, 24)


class Wrong(Sound):
    """Returns the best of the batch."""

    def _search(self, search, x, ball, random):
        return super()._search(search, x, ball, random)[:1]


class Downhill(Sound):
    """Minimises J."""

    def step(self, x, gradient, ball, random):
        return -ball.eps * gradient.sign()


class OnlyUp(Sound):
    """Raises quality, whatever the direction asked for."""

    def step(self, x, gradient, ball, random):
        wave = torch.linspace(0, 40, x[0].numel()).sin().view(x.shape[1:])
        return ball.eps * wave.sign().expand_as(x)


class Outside(Sound):
    """Asks for images that are no candidates."""

    def _search(self, search, x, ball, random):
        for _ in range(self.steps):
            x = x + ball.eps * search.value_and_grad(x)[1].sign()
        return x


class Mixing(Sound):
    """Scales the step by the largest gradient of the batch."""

    def step(self, x, gradient, ball, random):
        return 0.3 * ball.eps * gradient * torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(len(x)))


class Global(Sound):
    """Draws from the global generator, and puts another seed there."""

    def step(self, x, gradient, ball, random):
        return ball.eps * gradient.sign() * torch.rand(1)


class Peeks(Sound):
    """Says black-box."""

    access = "black-box"


class Divides(Sound):
    """Divides by a norm that can be zero."""

    def step(self, x, gradient, ball, random):
        return ball.eps * gradient / gradient.abs().amax((1, 2, 3), keepdim=True)


FAULTS = {
    Nameless: "declaration", Unsaid: "declaration", NoAccess: "declaration", Lost: "declaration", Required: "declaration",
    Overrides: "declaration", Raises: "runs", Wrong: "runs", Downhill: "gain", OnlyUp: "gain", Outside: "ball",
    Mixing: "batch", Global: "determinism", Peeks: "access", Divides: "dead-gradient",
}  # fmt: skip


@pytest.mark.parametrize("cls", FAULTS)
def test_a_fault_is_found_by_its_own_check(cls):
    """And the error lists it; the check is among the findings, with a sentence."""
    found = find_attack_faults(cls())
    assert FAULTS[cls] in {finding.check for finding in found}, found
    with pytest.raises(FaultyAttack, match=FAULTS[cls]):
        check_attack(cls())


@pytest.mark.parametrize(
    "attack",
    ["fgsm", "pgd:steps=3", "pgd:steps=3,norm=l2", "mifgsm:steps=3", "apgd:steps=4", "cw:steps=4", "square:queries=20",
     "nes:queries=60", "korhonen:steps=3"],
)  # fmt: skip
def test_sound_attacks_pass(attack):
    """Ours, in both norms, with and without gradients."""
    assert find_attack_faults(load_attack(attack)) == []
    check_attack(Sound())


def test_what_is_no_attack_is_said():
    """A class instead of an instance, and something else altogether."""
    for thing, words in ((Sound, r"check an instance of it: Sound\(\)"), (object(), "does not derive from robustiqa.Attack")):
        with pytest.raises(FaultyAttack, match=words):
            check_attack(thing)
