"""``robustiqa leaderboard``."""

from pathlib import Path

import click

from robustiqa.cli.output import format_options


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--by", type=click.Choice(("srocc", "gain")), default="srocc", show_default=True,
              help="What ranks: attacked SROCC (tomean), or gain (up).")
@format_options
def leaderboard(folders: tuple[Path, ...], by: str, forms: str, out: Path | None) -> None:
    """Rank models, with and without defenses, by the worst that an attack under any threat did to them.

    One table for each dataset, eps and crop in FOLDERS. Models that cannot be told apart share a rank. An entry that
    met fewer attacks than others is flagged attacks-missing.

    \b
      robustiqa leaderboard runs/today runs/yesterday --by gain
    """
    from robustiqa.cli.output import checked_formats, write_out
    from robustiqa.reports.leaderboard import BYS, leaderboard_text
    from robustiqa.reports.leaderboard import leaderboard as ranked
    from robustiqa.reports.results import load_results

    chosen = checked_formats(forms, out)
    kind = next(one for one in BYS if one == by)
    entries = ranked(load_results(*folders).rows(), kind)
    write_out("leaderboard", chosen, out, lambda form: leaderboard_text(entries, kind, form))
