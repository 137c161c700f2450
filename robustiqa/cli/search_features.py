"""``robustiqa search-features``."""

from pathlib import Path
from typing import Unpack

import click

from robustiqa.cli.lab import Choices, base_settings, bench_of, lab_options
from robustiqa.cli.options import quiet_option


@click.command("search-features")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/search"),
              show_default=True, help="Folder of results; what it holds is not computed again.")
@click.option("--candidates", default=None, help="Feature maps joined by +  [default: the paper's eleven]")
@click.option("--sets-of", "largest", type=click.IntRange(1, 5), default=5, show_default=True,
              help="Stop after sets of so many features.")
@click.option("--drop", type=click.IntRange(min=0), default=3, show_default=True,
              help="Weakest features left out of the sets of four; five always stay.")
@lab_options
@quiet_option
def search_features(
    out: Path, candidates: str | None, largest: int, drop: int, **choices: Unpack[Choices]
) -> None:
    """Search for BiRQA's feature set as the paper did: SROCC against speed, and the Pareto front.

    All sets of one, two and three candidates are trained, the weakest features dropped, then come all sets of four
    of the others, and a fifth feature beside the best four. OUT gets one file per set, search.md, search.csv and
    pareto.svg. A search that was stopped continues. Example of a small one:

    \b
      robustiqa search-features --dataset kadid-style=/data/photographs --sets-of 2 \\
          --candidates ssim+color+lbp --model birqa:width=8 --steps 150 --limit 10 --size 512x384
    """
    from dataclasses import replace

    from robustiqa.core.files import write_atomically
    from robustiqa.reports.lab import pareto_figure, search_frame, search_markdown
    from robustiqa.reports.plots import encoded
    from robustiqa.training.search import CANDIDATES, search
    from robustiqa.training.trial import run_trial

    base = base_settings(choices["model"])
    names = CANDIDATES if candidates is None else tuple(candidates.split("+"))
    with bench_of(out, **choices) as bench:
        found = search(names, largest, drop, bench.size,
                       lambda chosen: run_trial(replace(base, features="+".join(chosen)), bench))  # fmt: skip
    text = search_markdown(found, bench.size)
    write_atomically(out / "search.md", text)
    trials = list(found.trials.values())
    write_atomically(out / "search.csv", search_frame(trials, bench.size).to_csv(index=False, float_format="%.6g"))
    write_atomically(out / "pareto.svg", encoded(pareto_figure(trials, bench.size)))
    click.echo(text, nl=False)
