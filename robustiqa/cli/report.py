"""``robustiqa report``."""

from pathlib import Path

import click

from robustiqa.cli.options import Eps

WRITTEN = ("md", "csv", "tex", "json")
DRAWN = ("html", "svg")
FORMATS = (*WRITTEN, *DRAWN)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "forms", default="md", show_default=True,
              help=f"One or more of {', '.join(FORMATS)}, joined by commas.")
@click.option("--table", "tables", multiple=True,
              help="A table of the BiRQA paper, table1 to table9, instead of one row per cell; repeatable.")
@click.option("--with-paper", is_flag=True, help="Tables: the paper's own figures too, in columns of their own.")
@click.option("--eps", type=Eps(), default="8/255", show_default=True, help="Tables: of attacked SROCC and accuracy.")
@click.option("--bootstrap", "mode", type=click.Choice(["cluster", "iid"]), default="cluster", show_default=True,
              help="Tables: draw whole references, or single images as the paper did.")
@click.option("--domain", type=click.Choice(["minmax", "ot", "neural"]), default="ot", show_default=True,
              help="IR-Score: scale scores, map them by exact optimal transport, or by a network.")
@click.option("--target", default="human", show_default=True,
              help="IR-Score: distribution they are mapped to: human scores, uniform, or a model of the run.")
@click.option("--dataset", "datasets", multiple=True,
              help="html: NAME=FOLDER of the run's images, to show the most-moved; repeatable. demo needs none.")
@click.option("--pictures", type=click.IntRange(min=0), default=None,
              help="html: how many images to show, attacked again for it; 0 for none  "
              "[default: up to 12 within a minute]")
@click.option("--out", type=click.Path(path_type=Path), default=None,
              help="Folder for report.md, table3.tex, report.html, figures/*.svg, ...; needed for several and for svg. "
              "Default: standard output.")
def report(
    folders: tuple[Path, ...], forms: str, tables: tuple[str, ...], with_paper: bool, eps: float, mode: str,
    domain: str, target: str, datasets: tuple[str, ...], pictures: int | None, out: Path | None,
) -> None:
    """One row per cell and direction, from the results in FOLDERS; or a table of the paper; or a page to look at.

    html is one file: leaderboard, curves, heat map, and the images that were moved most. It loads nothing from
    elsewhere. svg are its figures, a file each.

    \b
      robustiqa report runs/live --format csv
      robustiqa report runs/bench --format html --out runs/report
      robustiqa report runs/kadid --table table3 --with-paper --format md,tex --out tables
    """
    from robustiqa.cli.report_pages import pages
    from robustiqa.cli.report_run import choices, run_report
    from robustiqa.core.errors import InvalidInput, UnknownName
    from robustiqa.reports.results import load_results

    names = forms.split(",")
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    drawn, written = ([name for name in names if name in kind] for kind in (DRAWN, WRITTEN))
    if drawn and tables:
        raise InvalidInput(f"{', '.join(drawn)} shows all of a run, not one table; leave --table out.")
    count = len(drawn) + len(written) * max(1, len(tables))
    if out is None and (count > 1 or "svg" in drawn):
        raise InvalidInput(f"{forms}: several texts cannot share standard output; add --out FOLDER.")
    options = choices(with_paper=with_paper, mode=mode, domain=domain, target=target, eps=eps)
    texts = run_report(folders, written, tables, options) if written else {}
    for name in drawn:
        texts |= pages(name, load_results(*folders).cells, datasets, pictures)
    for file, text in texts.items():
        _deliver(file, text, out)


def _deliver(file: str, text: str, out: Path | None) -> None:
    from robustiqa.core.files import write_atomically

    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomically(out / file, text)
        click.echo(out / file)
