"""``robustiqa models``, ``attacks``, ``defenses``, ``datasets``: what there is, and what is broken."""

import json
from typing import Any

import click

from robustiqa.core.errors import BrokenPlugin


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
            click.echo("\n".join(f"{key}: {value}" for key, value in record.items()))
    else:
        width = max((len(record["name"]) for record in records), default=0)
        for record in records:
            click.echo(f"{record['name']:{width}}  {record['summary']}")
        if not records:
            click.echo("none built in; plug-ins appear here once installed.")


models = lister("models", "List quality models, or all that is known of one NAME.")
attacks = lister("attacks", "List attacks, or one NAME with its parameters and their defaults.")
defenses = lister("defenses", "List defenses, or one NAME with its parameters and their defaults.")
