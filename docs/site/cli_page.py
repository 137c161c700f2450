"""The reference of the command line, from the commands themselves."""

import inspect
import re
from collections.abc import Iterator

import click
from page_parts import table

from robustiqa.cli.main import cli
from robustiqa.reports.formats.markdown import escape


def page() -> str:
    """Every command with its usage, help, arguments and options."""
    head = "# Command line\n\nWhat `--help` says. Exit codes: 0 done, 1 cells failed, 2 bad input, 130 interrupted.\n"
    with click.Context(cli, info_name="robustiqa") as context:
        return head + "\n" + "\n".join(_sections(cli, context))


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    yield _options(group, context)
    for name, command in group.commands.items():
        with click.Context(command, parent=context, info_name=name) as inner:
            yield _section(command, inner)
            if isinstance(command, click.Group):
                yield from _sections(command, inner)


def _section(command: click.Command, context: click.Context) -> str:
    usage = " ".join(command.collect_usage_pieces(context))
    path = context.command_path
    parts = [f"## {path}\n", f"```text\n{path} {usage}\n```\n", _help(command.help or "")]
    if not isinstance(command, click.Group):
        parts.append(_options(command, context))
    return "\n".join(parts)


def _help(text: str) -> str:
    r"""A command's help: paragraphs, and what click's mark \b keeps as it is, as code."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n".join(_paragraph(paragraph) for paragraph in paragraphs)


def _paragraph(text: str) -> str:
    kept = text.removeprefix("\b\n")
    if kept != text:
        return f"```text\n{kept}\n```\n"
    return escape(text.replace("\n", " ")) + "\n"


def _options(command: click.Command, context: click.Context) -> str:
    records = filter(None, (parameter.get_help_record(context) for parameter in command.get_params(context)))
    return table(("option", "what it does"), [(_code(names), escape(text)) for names, text in records])


def _code(text: str) -> str:
    """Code that stays in its cell of a table."""
    return "`" + text.replace("|", r"\|") + "`"
