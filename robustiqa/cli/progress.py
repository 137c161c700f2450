"""The progress bar of every long command; silent where standard error is not a terminal, and with ``--quiet``."""

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from robustiqa.cli.options import QUIET


def bar() -> Progress:
    """A bar on standard error, so that standard output stays the result's."""
    context = click.get_current_context(silent=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=context is not None and bool(context.meta.get(QUIET)),
    )
