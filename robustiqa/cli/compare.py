"""``robustiqa compare``."""

from pathlib import Path

import click

from robustiqa.cli.output import format_options


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@format_options
def compare(run_a: Path, run_b: Path, forms: str, out: Path | None) -> None:
    """Set two runs side by side: differences of gain and SROCC on the same samples, paired, with intervals.

    Rows that both folders have are paired by dataset, model, defense, attack, eps, direction, threat, crop and seed; of
    these, what is one thing in RUN_A and another in RUN_B (two models, say) is what is compared. What differs, weights
    and versions too, is named. Differences are B minus A.

    \b
      robustiqa compare runs/before runs/after
    """
    from robustiqa.cli.output import checked_formats, write_out
    from robustiqa.reports.compare import compare as compared
    from robustiqa.reports.compare import comparison_text, environments
    from robustiqa.reports.results import load_results

    chosen = checked_formats(forms, out)
    a, b = load_results(run_a), load_results(run_b)
    found, differing = compared(a.rows(), b.rows()), environments(a.cells, b.cells)
    write_out("compare", chosen, out, lambda form: comparison_text(found, differing, form))
