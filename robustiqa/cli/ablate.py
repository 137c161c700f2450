"""``robustiqa ablate``."""

from pathlib import Path
from typing import Unpack

import click

from robustiqa.cli.lab import Choices, base_settings, bench_of, lab_options
from robustiqa.cli.options import quiet_option


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/ablate"),
              show_default=True, help="Folder of results; what it holds is not computed again.")
@click.option("--alone", is_flag=True, help="Replace CSRAM and SCGB also each alone, which the paper did not.")
@lab_options
@quiet_option
def ablate(out: Path, alone: bool, **choices: Unpack[Choices]) -> None:
    """Train BiRQA with its modules replaced, and put them back one by one (the paper's Table 4).

    CSRAM is replaced by cross-attention, SCGB by the element-wise product, the reliability-aware head by pooling and
    an MLP. OUT gets one file per row, and ablation.md. Runs that were stopped continue. Example of a small one:

    \b
      robustiqa ablate --dataset kadid-style=/data/photographs --steps 300 --limit 10 --size 512x384
    """
    from robustiqa.core.files import write_atomically
    from robustiqa.reports.lab import ablation_markdown
    from robustiqa.training.ablation import ALONE, TABLE
    from robustiqa.training.trial import run_trial

    base = base_settings(choices["model"])
    with bench_of(out, **choices) as bench:
        rows = {modules: run_trial(modules.settings(base), bench) for modules in (*TABLE, *(ALONE if alone else ()))}
    text = ablation_markdown(rows, bench.size)
    write_atomically(out / "ablation.md", text)
    click.echo(text, nl=False)
