"""What ``robustiqa bench`` does once its options are read: plan, run with a progress bar, print the table."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import click
import torch
from rich.console import Console

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.bench import Outcome, describe, run
from robustiqa.benchmarks.crew import default_threads
from robustiqa.benchmarks.plan import Direction, Request, Threat, plan
from robustiqa.benchmarks.runner import Job, missing
from robustiqa.benchmarks.store import Store
from robustiqa.cli.options import torch_device
from robustiqa.cli.progress import bar
from robustiqa.datasets import load_dataset
from robustiqa.defenses import load_defense
from robustiqa.models import load_model
from robustiqa.reports.attacked_choices import attacked_choices, choices_markdown
from robustiqa.reports.results import load_results
from robustiqa.reports.terminal import print_table


def run_bench(
    *,
    models: Sequence[str],
    attacks: Sequence[str],
    defenses: Sequence[str],
    datasets: Sequence[tuple[str, str | None]],
    eps: Sequence[float],
    directions: Sequence[str],
    threat: str,
    limit: int | None,
    crop: int,
    seed: int,
    eot: int | None,
    max_queries: int | None,
    max_seconds: float | None,
    out: Path,
    batch_size: int,
    threads: int | None,
    device: str,
    dry_run: bool,
) -> None:
    where = torch_device(device)
    request = Request(
        models=tuple(load_model(name).to(where) for name in models),
        attacks=tuple(map(load_attack, attacks)),
        datasets=tuple(load_dataset(name, path) for name, path in datasets),
        defenses=tuple(None if name == "none" else load_defense(name) for name in defenses),
        eps=tuple(eps),
        directions=cast(tuple[Direction, ...], tuple(directions)),
        threat=cast(Threat, threat),
        limit=limit,
        crop=crop or None,
        seed=seed,
        eot=eot,
        limits=Limits(max_queries, max_seconds),
    )
    jobs = plan(request)
    if dry_run:
        _announce(jobs, Store(out))
        return
    outcome = _run(jobs, out, batch_size, where, threads or default_threads(where))
    _conclude(jobs, outcome, directions)


def _announce(jobs: Sequence[Job], store: Store) -> None:
    for job in jobs:
        click.echo(f"{len(missing(job, store)):6d} of {len(job.pairs):6d} pairs to do: {describe(job)}")


def _run(jobs: Sequence[Job], out: Path, batch_size: int, device: torch.device, threads: int) -> Outcome:
    with bar() as progress:
        task = progress.add_task("planning", total=None)
        return run(
            jobs,
            out,
            batch_size,
            device,
            lambda label, done, total: progress.update(task, description=label, completed=done, total=total),
            threads,
        )


def _conclude(jobs: Sequence[Job], outcome: Outcome, directions: Sequence[str]) -> None:
    """Print the cells that were asked for, where they are, and what failed."""
    for job, error in outcome.failures:
        click.echo(f"robustiqa: failed: {describe(job)}: {type(error).__name__}: {error}", err=True)
    if len(outcome.failures) < len(jobs):
        asked = {job.spec.key for job in jobs}
        results = load_results(outcome.folder)
        rows = [row for row in results.rows(directions) if asked & set(row.view.keys)]
        print_table(rows, Console())
        choices = choices_markdown(attacked_choices(cell for cell in results.cells if cell.spec.key in asked))
        if choices:
            click.echo(f"\n{choices}", nl=False)
        click.echo(f"\nResults: {outcome.folder}/cells  ({len(asked)} cells)")
        click.echo(f"Report:  robustiqa report {outcome.folder} --format md")
    if outcome.failures:
        raise click.exceptions.Exit(1)
