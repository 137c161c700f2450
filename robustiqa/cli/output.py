"""Formats and places of what commands print."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.files import write_atomically

FORMATS = ("md", "csv", "json")


def format_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with ``--format`` and ``--out``."""
    forms = click.option("--format", "forms", default="md", show_default=True,
                         help=f"One or more of {', '.join(FORMATS)}, joined by commas.")  # fmt: skip
    out = click.option("--out", type=click.Path(path_type=Path), default=None,
                       help="Folder for the files; needed for several formats. Default: standard output.")  # fmt: skip
    return forms(out(command))


def checked_formats(text: str, out: Path | None) -> list[str]:
    """The formats that ``text`` names.

    Raises:
        InvalidInput: an unknown one, or several without a folder.
    """
    forms = text.split(",")
    for form in forms:
        if form not in FORMATS:
            raise UnknownName("format", form, FORMATS)
    if len(forms) > 1 and out is None:
        raise InvalidInput(f"{len(forms)} formats cannot share standard output; add --out FOLDER.")
    return forms


def write_out(name: str, forms: Sequence[str], out: Path | None, text: Callable[[str], str]) -> None:
    """Print ``text`` of the one format, or write a file ``name.FORMAT`` for each."""
    for form in forms:
        if out is None:
            click.echo(text(form), nl=False)
        else:
            write_atomically(out / f"{name}.{form}", text(form))
            click.echo(out / f"{name}.{form}")
