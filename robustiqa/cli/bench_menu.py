"""What there is to choose from, for those who typed ``robustiqa bench`` and nothing else."""

import textwrap
from typing import Final

import click

WIDTH: Final = 96
EXAMPLES: Final = """\
Choose what to attack, and with what. For example:

  robustiqa bench --model birqa --attack autoattack             minutes; needs no data of yours
  robustiqa bench --model ssim --model psnr --attack pgd --defense none --defense jpeg
  robustiqa bench --model lpips-alex --attack pgd:steps=40 --dataset live=/data/live
  robustiqa bench benchmarks/quick.toml --dry-run               a suite: what it runs, and how long
"""


def menu() -> None:
    """Print examples, and the names of models, attacks, defenses and datasets."""
    from robustiqa.cli.catalogue import CATALOGUES

    click.echo(EXAMPLES)
    for kind, registry in CATALOGUES.items():
        names = textwrap.fill(", ".join(registry.names()), WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
        click.echo(f"{f'--{kind[:-1]}':12}{names.lstrip()}")
    click.echo("\nMore of each: robustiqa models, attacks, defenses, datasets. All options: robustiqa bench --help")
