"""Stand-ins for plug-ins that raised before a cell was run: they fail their own cells and no others."""

import traceback
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Learned
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel, Reference
from robustiqa.core.random import RandomStreams
from robustiqa.defenses.base import Defense


def defended(defense: Defense, model: QualityModel) -> QualityModel:
    """The defended model, or, where ``apply`` raised, a model that raises the same whenever it is asked.

    Raises:
        InvalidInput: raised by the defense: what the user asked for cannot be done, and nothing is run.
    """
    try:
        return defense.apply(model)
    except InvalidInput:
        raise
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything)
        return _BrokenModel(model, _Raised(error))


def knowledge(attack: Attack, model: QualityModel, sign: int) -> tuple[Attack, Learned | None]:
    """The attack and what it has learned, or, where that question raised, an attack that raises the same when run.

    Raises:
        InvalidInput: raised by the attack, as above.
    """
    try:
        return attack, attack.learned(model, sign)
    except InvalidInput:
        raise
    except Exception as error:  # noqa: BLE001 (as above)
        return _BrokenAttack(_Raised(error)), None


class _Raised:
    """What a plug-in raised. Its traceback cannot go to a worker process, so that its words go along in a note."""

    def __init__(self, error: Exception) -> None:
        self._error, self._trace = error, error.__traceback__

    def again(self) -> NoReturn:
        """Raise it as it was, without the frames of raising it before."""
        raise self._error.with_traceback(self._trace)

    def __reduce__(self) -> tuple[type["_Raised"], tuple[Exception]]:
        note = f"Before any worker process:\n{''.join(traceback.format_tb(self._trace))}".rstrip()
        sent = copy(self._error)
        sent.add_note(note)
        return _Raised, (sent,)


class _BrokenModel(QualityModel):
    def __init__(self, model: QualityModel, raised: _Raised) -> None:
        super().__init__()
        self.info, self._raised = model.info, raised

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:  # noqa: ARG002
        self._raised.again()


@dataclass(frozen=True)
class _BrokenAttack(Attack):
    name: ClassVar[str] = "broken"
    access: ClassVar[Access] = "white-box"
    paper: ClassVar[str] = ""

    raised: _Raised = field(default_factory=lambda: _Raised(Exception()))

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        self.raised.again()
