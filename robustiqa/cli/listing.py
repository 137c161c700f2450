"""``robustiqa models``, ``attacks``, ``defenses``, ``datasets``: what there is, and what is broken."""

import json
from typing import Any, Final

import click

from robustiqa.core.errors import BrokenPlugin
from robustiqa.core.parameters import typed

HIDDEN: Final = {"name", "summary", "origin", "types"}  # in the heading, or beside the parameters


def lister(kind: str, summary: str, command_name: str | None = None) -> click.Command:
    """The command that lists one kind of thing."""

    @click.command(name=command_name or kind, help=summary)
    @click.argument("name", required=False)
    @click.option("--json", "as_json", is_flag=True, help="Print a list of objects with a name.")
    def command(name: str | None, as_json: bool) -> None:
        from robustiqa.cli.catalogue import CATALOGUES, describe

        registry = CATALOGUES[kind]
        records, broken = [], []
        for one in [name] if name else registry.names():
            try:
                records.append(describe(kind, registry, one))
            except BrokenPlugin as error:
                broken.append(error)
        _print(records, name is not None, as_json)
        for failure in broken:
            click.echo(f"robustiqa: broken plug-in: {failure}", err=True)

    return command


def _print(records: list[dict[str, Any]], one: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(records, indent=1))
    elif one:
        for record in records:
            click.echo(_page(record))
    else:
        width = max((len(record["name"]) for record in records), default=0)
        for record in records:
            click.echo(f"{record['name']:{width}}  {_plain(record['summary'])}")
        if not records:
            click.echo("none built in; plug-ins appear here once installed.")


def _page(record: dict[str, Any]) -> str:
    """All that is known of one thing, for people: parameters as they are typed, nothing that is empty."""
    types = record.get("types", {})
    parameters = [(f"{key}={typed(value)}", types[key]) for key, value in record.get("parameters", {}).items()]
    width = max((len(text) for text, _ in parameters), default=0)
    lines = {"parameters": [f"{text:{width}}  {kind}" for text, kind in parameters]}
    lines |= {key.replace("_", " "): _lines(value) for key, value in record.items() if key not in {*lines, *HIDDEN}}
    margin = max(map(len, lines)) + 2
    facts = [f"{key if i == 0 else '':{margin}}{line}" for key, known in lines.items() for i, line in enumerate(known)]
    heading = [f"{record['name']} ({record['origin']})", _plain(record["summary"])]
    return "\n".join([*heading, "", *facts]).rstrip()


def _plain(summary: str) -> str:
    return summary.replace("``", "")


def _lines(value: object) -> list[str]:
    """A fact, a line for each of its pairs (a file with its sha256); none where there is nothing to say."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [", ".join(f"{number} {word}" for word, number in value.items() if number) or "none"]
    if isinstance(value, tuple | list):
        if any(isinstance(one, tuple | list) for one in value):
            return ["  ".join(filter(None, one)) for one in value]
        return [", ".join("no limit" if one is None else str(one) for one in value)] if value else []
    return [str(value)] if value not in (None, "") else []


models = lister("models", "List quality models, or all that is known of one NAME.")
attacks = lister("attacks", "List attacks, or one NAME with its parameters and their defaults.")
defenses = lister("defenses", "List defenses, or one NAME with its parameters and their defaults.")
