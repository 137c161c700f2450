"""The progress bar of every long command; silent where standard error is not a terminal, and with ``--quiet``."""

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from robustiqa.cli.options import QUIET


class _Count(MofNCompleteColumn):
    """How many of how many; nothing while nobody knows of how many."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


class _Left(TimeRemainingColumn):
    """The time left; nothing while nobody knows how much is to be done."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else Text.assemble(super().render(task), " left")


def bar() -> Progress:
    """A bar on standard error, so that standard output stays the result's."""
    console = Console(stderr=True)
    seen = console.is_terminal or console.is_jupyter
    context = click.get_current_context(silent=True)
    quiet = context is not None and bool(context.meta.get(QUIET))
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _Count(),
        TimeElapsedColumn(),
        _Left(),
        console=console,
        disable=quiet or not seen,
    )
