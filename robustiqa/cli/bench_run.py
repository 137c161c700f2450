"""What ``robustiqa bench`` does once its options are read: plan, run with a progress bar, print the table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

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
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets import load_dataset
from robustiqa.defenses import load_defense
from robustiqa.models import load_model
from robustiqa.reports.attacked_choices import attacked_choices, choices_markdown
from robustiqa.reports.results import load_results
from robustiqa.reports.terminal import print_table

T = TypeVar("T")


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
    fail_fast: bool,
    dry_run: bool,
) -> None:
    where = torch_device(device)
    broken: list[str] = []
    request = Request(
        models=_usable("model", lambda name: load_model(name).to(where), models, broken),
        attacks=_usable("attack", load_attack, attacks, broken),
        datasets=tuple(load_dataset(name, path) for name, path in datasets),
        defenses=_usable("defense", lambda name: None if name == "none" else load_defense(name), defenses, broken),
        eps=tuple(eps),
        directions=cast(tuple[Direction, ...], tuple(directions)),
        threat=cast(Threat, threat),
        limit=limit,
        crop=crop or None,
        seed=seed,
        eot=eot,
        limits=Limits(max_queries, max_seconds),
    )
    nothing_left = not (request.models and request.attacks and request.defenses)
    if broken and (fail_fast or nothing_left):
        raise click.exceptions.Exit(1)
    jobs = plan(request)
    if dry_run:
        _announce(jobs, Store(out))
        return
    outcome = _run(jobs, out, batch_size, where, threads or default_threads(where), fail_fast=fail_fast)
    _conclude(jobs, outcome, directions)
    if broken or outcome.failures:
        raise click.exceptions.Exit(1)


def _usable(kind: str, load: Callable[[str], T], names: Sequence[str], broken: list[str]) -> tuple[T, ...]:
    """What could be loaded; of a plug-in that raises it is said, and the others go on.

    Raises:
        InvalidInput: a name, parameter or file that cannot be used.
    """
    loaded = []
    for name in names:
        try:
            loaded.append(load(name))
        except InvalidInput:
            raise
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything)
            click.echo(f"robustiqa: failed: {kind} {name}: {type(error).__name__}: {error}", err=True)
            broken.append(name)
    return tuple(loaded)


def _announce(jobs: Sequence[Job], store: Store) -> None:
    for job in jobs:
        click.echo(f"{len(missing(job, store)):6d} of {len(job.pairs):6d} pairs to do: {describe(job)}")


def _run(
    jobs: Sequence[Job], out: Path, batch_size: int, device: torch.device, threads: int, *, fail_fast: bool
) -> Outcome:
    with bar() as progress:
        task = progress.add_task("planning", total=None)
        return run(
            jobs,
            out,
            batch_size,
            device,
            lambda label, done, total: progress.update(task, description=label, completed=done, total=total),
            threads,
            fail_fast=fail_fast,
        )


def _conclude(jobs: Sequence[Job], outcome: Outcome, directions: Sequence[str]) -> None:
    """Print the cells that were asked for, where they are, and what failed."""
    for job, error in outcome.failures:
        click.echo(f"robustiqa: failed: {describe(job)}: {type(error).__name__}: {error}", err=True)
    if outcome.failures:
        click.echo(f"robustiqa: tracebacks are in {outcome.folder}/cells/*.jsonl.", err=True)
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
