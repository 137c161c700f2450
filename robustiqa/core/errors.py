"""Errors that robustiqa raises on purpose; the command line turns them into one line and an exit code."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class RobustIQAError(Exception):
    """Base of all errors raised on purpose."""


class InvalidInput(RobustIQAError, ValueError):
    """The caller's input cannot be used; the message names the value, what is allowed and the fix (exit code 2)."""


class UnknownName(InvalidInput):
    """A name that no registry, dataset or parameter list knows; the message offers the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        options = sorted(known)
        near = get_close_matches(name, options, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {name!r}.{hint} Known: {', '.join(options) or 'none'}.")


class MissingWeights(InvalidInput):
    """A model's weights were found nowhere; the message says every way to get them."""


class MissingExtra(InvalidInput):
    """Something that needs an optional dependency, which is not installed; the message has the command."""


class UnreadableImage(InvalidInput):
    """A file that is not an image of an accepted format, is truncated, or is too large."""


class DatasetLayoutError(InvalidInput):
    """A dataset folder that lacks what its published layout has; the message names what is missing."""


class CannotWrite(RobustIQAError, OSError):
    """A file could not be written; what was there before is still there (exit code 1)."""

    def __init__(self, path: Path, error: OSError) -> None:
        reason = error.strerror or str(error)
        super().__init__(
            f"cannot write {path}: {reason}. What was finished is kept; mend this, and the same command continues."
        )
        self.path, self.errno, self.reason = path, error.errno, reason

    def __reduce__(self) -> tuple[type["CannotWrite"], tuple[Path, OSError]]:
        """Worker processes send it to their parent."""
        return CannotWrite, (self.path, OSError(self.errno, self.reason))


class BrokenPlugin(RobustIQAError):
    """A plug-in that could not be imported; it is reported and harms nothing else."""


class FaultyModel(RobustIQAError):
    """A model that breaks the contract of quality models; the message lists every finding."""


class FaultyAttack(RobustIQAError):
    """An attack that breaks the contract of attacks; the message lists every finding."""


class FaultyDefense(RobustIQAError):
    """A defense that breaks the contract of defenses; the message lists every finding."""


def raise_interrupt_behind(error: BaseException) -> None:
    """Raise the KeyboardInterrupt that ``error`` was made of, if any: a compiled module that is interrupted while it is
    imported says ImportError.
    """
    if isinstance(error.__cause__, KeyboardInterrupt):
        raise error.__cause__
