"""An ensemble in the spirit of AutoAttack (Croce and Hein, ICML 2020), defined openly for a score.

AutoAttack is APGD on cross-entropy, APGD and FAB targeted at classes, and Square. On one score the first two are one
attack and FAB has no class boundary to look for. Here it is APGD from several starts, APGD in the model's feature space
where the model shows one, C&W inside the ball, Adam with a falling step, Square, and Adam once more from the best of
them all; per image the best is kept, so the ensemble is never weaker than a member. Its numbers must not be compared
with the classifier suite's.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from torch import Tensor

from robustiqa.attacks.apgd import APGD
from robustiqa.attacks.base import Access, Attack, Calls, known_norm
from robustiqa.attacks.budget import Ball, Norm
from robustiqa.attacks.cw import CW
from robustiqa.attacks.pgd_adam import PGDAdam
from robustiqa.attacks.search import Search
from robustiqa.attacks.square import Square
from robustiqa.core.errors import UnknownName
from robustiqa.core.random import RandomStreams

WITH_NORM: Final = (APGD, PGDAdam, Square)  # the box of C&W is the L∞ ball's
MEMBERS: Final[dict[str, tuple[Attack, ...]]] = {
    "standard": (
        APGD(steps=100, restarts=5),
        APGD(steps=100, loss="features"),
        CW(steps=100),
        PGDAdam(steps=100),
        Square(queries=5000),
        PGDAdam(steps=100, lr=0.3, start="best"),
    ),
    "quick": (APGD(steps=25), CW(steps=25), Square(queries=250)),
}


@dataclass(frozen=True)
class AutoAttack(Attack):
    """APGD, C&W in the box, Adam and Square on one shared record of the best.

    ``standard``: APGD-100 from 5 starts and, where the model shows features, from the image in feature space, cw 100,
    pgd-adam 100, Square 5,000, and pgd-adam 100 from the best of those. ``quick``: APGD-25, cw 25, Square 250, flagged
    ``reduced-budget``. Under ``norm=l2`` cw, whose box is the L∞ ball, is left out. Every member draws the random
    numbers that it would draw alone.
    """

    name: ClassVar[str] = "autoattack"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = "Croce and Hein, ICML 2020, arXiv 2003.01690; members redefined for a score"

    version: Literal["standard", "quick"] = "standard"
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        known_norm(self)
        if self.version not in MEMBERS:
            raise UnknownName("version of autoattack", self.version, MEMBERS)

    @property
    def members(self) -> tuple[Attack, ...]:
        """In the order of their runs."""
        if self.norm == "linf":
            return MEMBERS[self.version]
        return tuple(replace(one, norm=self.norm) for one in MEMBERS[self.version] if isinstance(one, WITH_NORM))

    @property
    def flags(self) -> tuple[str, ...]:
        return ("reduced-budget",) if self.version == "quick" else ()

    @property
    def calls(self) -> Calls:
        return sum((member.calls or Calls() for member in self.members), Calls())

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        last = x
        for member in self.members:
            if isinstance(member, APGD) and member.loss == "features" and not search.exposes_features:
                continue
            last = member.propose(search, x, ball, random.of(member.name))
        return last
