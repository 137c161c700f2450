"""``robustiqa datasets``: the list, or one NAME, or ``check NAME=FOLDER``."""

import click

from robustiqa.cli.listing import lister
from robustiqa.cli.options import quiet_option
from robustiqa.core.parameters import split_path


class _ListOrCheck(click.Group):
    """A group whose command is ``list`` where none is named, so that ``datasets`` and ``datasets NAME`` list."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group(cls=_ListOrCheck)
def datasets() -> None:
    """List datasets, show one NAME, or check a dataset's folder."""


@datasets.command()
@click.argument("dataset", metavar="NAME=FOLDER")
@quiet_option
def check(dataset: str) -> None:
    """Compare counts, names and sizes with the published dataset and read every image; exit code 2 if any is amiss."""
    from robustiqa.cli.progress import bar
    from robustiqa.datasets import load_dataset
    from robustiqa.datasets.check import check_folder

    loaded = load_dataset(*split_path(dataset))
    with bar() as progress:
        task = progress.add_task(f"checking {loaded.name}", total=None)
        findings = check_folder(loaded, lambda done, total: progress.update(task, completed=done, total=total))
    for line in findings.lines():
        click.echo(line)
    if not findings.sound:
        raise click.exceptions.Exit(2)


datasets.add_command(lister("datasets", "List datasets, or one NAME.", command_name="list"))
