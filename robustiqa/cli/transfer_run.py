"""What ``robustiqa transfer`` does once its options are read: score what was saved, print the matrices."""

from collections.abc import Sequence
from pathlib import Path

import click

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.plan import Request, calibration_jobs, subjects
from robustiqa.benchmarks.running import describe, run
from robustiqa.benchmarks.suite import NONE
from robustiqa.benchmarks.transfer import score_transferred, sources, transfer_jobs
from robustiqa.cli.options import torch_device
from robustiqa.cli.output import write_out
from robustiqa.cli.progress import bar
from robustiqa.defenses import load_defense
from robustiqa.models import load_model
from robustiqa.reports.results import load_results
from robustiqa.reports.transfers import transfers, transfers_text


def run_transfer(
    folder: Path,
    models: Sequence[str],
    defenses: Sequence[str],
    directions: Sequence[str],
    batch_size: int,
    device: str,
    forms: Sequence[str],
    out: Path | None,
) -> None:
    """Score, then print.

    Raises:
        InvalidInput: a folder without saved pictures, or a name, weights or device that cannot be used.
    """
    where, pictures = torch_device(device), Pictures(folder)
    saved = sources(Store(folder).cells(), pictures)
    names = models or tuple(dict.fromkeys(cell.spec.model.name for cell in saved))
    request = Request(
        models=tuple(load_model(name).to(where) for name in names),
        attacks=(),
        datasets=(),
        defenses=tuple(None if name == NONE else load_defense(name) for name in defenses),
    )
    clean = [job for crop, seed in _conditions(saved) for job in calibration_jobs(request, crop, seed)]
    carried = transfer_jobs(saved, subjects(request), pictures)
    with bar() as progress:
        task = progress.add_task("planning", total=None)

        def show(label: str, done: int, total: int) -> None:
            progress.update(task, description=label, completed=done, total=total)

        outcomes = (
            run(clean, folder, batch_size, where, show),
            run(carried, folder, batch_size, where, show, compute=score_transferred),
        )
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    for job, error in failures:
        click.echo(f"robustiqa: failed: {describe(job)}: {type(error).__name__}: {error}", err=True)
    entries = transfers(load_results(folder).rows(), directions)
    write_out("transfer", forms, out, lambda form: transfers_text(entries, form))
    if failures:
        raise click.exceptions.Exit(1)


def _conditions(cells: Sequence[Cell]) -> list[tuple[int | None, int]]:
    """Crop and seed of the attacks, each pair once."""
    return list(dict.fromkeys((cell.spec.crop, cell.spec.seed) for cell in cells))
