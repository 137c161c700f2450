"""``robustiqa doctor``."""

import json

import click


@click.command()
@click.option("--dataset", "datasets", multiple=True, metavar="NAME=FOLDER",
              help="Also look at this dataset's folder; repeatable. (datasets check NAME=FOLDER reads every image.)")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects with kind, name, state, detail and fix.")
def doctor(datasets: tuple[str, ...], as_json: bool) -> None:
    """Look at the environment, weights, plug-ins and datasets, and say what is wrong with each and how to mend it.

    Nothing is downloaded. ok: fine. missing: not needed until you use it. broken: does not work. Exit code 1 if
    anything is broken.

    \b
      robustiqa doctor --dataset live=/data/live
    """
    from dataclasses import asdict

    from robustiqa.cli.doctor_checks import examined

    found = list(examined(datasets))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        for one in found:
            click.echo(f"{one.state:8}{one.kind:12}{one.name}: {one.detail}")
            if one.fix:
                click.echo(f"{'':20}{one.fix}")
    if any(one.state == "broken" for one in found):
        raise click.exceptions.Exit(1)
