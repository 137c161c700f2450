"""``robustiqa report``."""

import sys
from pathlib import Path

import click

from robustiqa.cli.options import Eps, Place, quiet_option

FORMATS = ("md", "csv", "tex", "json", "html", "svg")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=Place())
@click.option("--format", "forms", default="md", show_default=True,
              help=f"One or more of {', '.join(FORMATS)}, joined by commas.")
@click.option("--table", "tables", multiple=True,
              help="table1 to table9 of the BiRQA paper, or defenses (adaptive beside oblivious, the worst, the clean "
              "cost), instead of one row per cell; repeatable.")
@click.option("--figure", "figures", multiple=True,
              help="figure3 (quality against speed), figure5 (feature sets), figure6 (AAT's loss and bounds) or "
              "figure7 (SROCC over eps) of the paper, as SVG; repeatable; needs --out.")
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
@click.option("--without-seconds", is_flag=True,
              help="Leave out measured times, so that equal cells give equal texts, byte for byte.")
@click.option("--out", type=click.Path(path_type=Path), default=None,
              help="Folder for report.md, table3.tex, figures/*.svg, ...; needed for svg and for several texts. "
              "Default: standard output.")
@quiet_option
def report(
    folders: tuple[Path | str, ...], forms: str, tables: tuple[str, ...], figures: tuple[str, ...], with_paper: bool,
    eps: float, mode: str, domain: str, target: str, datasets: tuple[str, ...], pictures: int | None,
    without_seconds: bool, out: Path | None,
) -> None:
    """One row per cell and direction, of the results in FOLDERS; or the paper's tables and figures; or a page to see.

    FOLDERS may be URLs, such as s3://bucket/run. html is one file that loads nothing from elsewhere: leaderboard,
    curves, heat map, and the images that were moved most. svg are its figures, a file each.

    \b
      robustiqa report runs/bench --format html --out runs/report
      robustiqa report runs/live --format csv
      robustiqa report runs/kadid --table table3 --with-paper --format md,tex --out tables
      robustiqa report runs/kadid --figure figure7 --out figures
    """
    from robustiqa.benchmarks.folder.mirror import fetched
    from robustiqa.cli.report_run import Gallery, choices, run_layouts, run_report
    from robustiqa.core.errors import InvalidInput, UnknownName

    names = forms.split(",")
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if figures and not tables and names not in (["md"], ["svg"]):  # md: nothing was said
        raise InvalidInput("--figure is drawn as SVG; --format is for --table and for the whole report.")
    if tables and {"html", "svg"} & set(names):
        raise InvalidInput("--table is written as md, csv, tex or json; html and svg show the whole run.")
    if without_seconds and "html" in names:
        raise InvalidInput("--without-seconds is for md, csv, tex and json; the page says when and how it was made.")
    whole = not tables and not figures
    count = len(names) * (1 if whole else len(tables)) + len(figures)
    if out is None and (count > 1 or figures or "svg" in names):
        what = "a picture" if count == 1 else "several texts"
        raise InvalidInput(f"{what} cannot go to standard output; add --out FOLDER.")
    if out is None and "html" in names and sys.stdout.isatty():
        raise InvalidInput("a page of HTML is not for a terminal; add --out FOLDER, or end with > FILE.")
    options = choices(with_paper=with_paper, mode=mode, domain=domain, target=target, eps=eps)
    with fetched(folders) as local:
        if whole:
            gallery = Gallery(datasets, pictures)
            texts = run_report(local, names, options.domain, gallery, timeless=without_seconds)
        else:
            texts = run_layouts(local, tables, names, options, figures)
    for file, text in texts.items():
        _deliver(file, text, out)


def _deliver(file: str, text: str, out: Path | None) -> None:
    from robustiqa.core.files import write_atomically

    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomically(out / file, text)
        click.echo(out / file)
