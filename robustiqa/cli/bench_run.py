"""What ``robustiqa bench`` does once its options are read: plan, run with a progress bar, print the tables."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import torch
from rich.console import Console

from robustiqa.benchmarks.bench import observed, prepared
from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.folder.mirror import Mirror
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.plan import Request, clean_jobs, merged, plan
from robustiqa.benchmarks.requests import Shelf, on_datasets
from robustiqa.benchmarks.running import Outcome, describe, run
from robustiqa.benchmarks.shards import Shard, parse_shard, shard_jobs
from robustiqa.benchmarks.sharing.cluster import Cluster
from robustiqa.benchmarks.sharing.crew import default_threads
from robustiqa.benchmarks.suite import NONE, Run, Suite, load_suite
from robustiqa.cli.clean_scores import restricted
from robustiqa.cli.clean_tables import print_clean
from robustiqa.cli.dry_run import announce
from robustiqa.cli.options import torch_device
from robustiqa.cli.progress import bar
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.base import PairDataset
from robustiqa.reports.attacked_choices import attacked_choices, choices_markdown
from robustiqa.reports.render import render
from robustiqa.reports.results import Results, load_results
from robustiqa.reports.rows import Row
from robustiqa.reports.terminal import print_table

KEYS: Final = ("models", "attacks", "defenses", "eps", "directions")  # that hold lists
SCALARS: Final = (
    "threat", "limit", "crop", "seed", "eot", "max_queries", "max_seconds", "calibrate", "precision", "compile",
)  # fmt: skip


def run_bench(file: Path | None, values: Mapping[str, Any], given: Collection[str]) -> None:
    """Run the suite of ``file``, or of the options alone.

    Args:
        values: of all options, by name.
        given: names of those that were typed; they replace what a suite says.
    """
    shard = None if values["shard"] is None else parse_shard(values["shard"])
    cluster = _cluster(values)
    suite = _of_options(values) if file is None else _of_file(file, values, given)
    place = values["out"] or Path("runs") / _folder_name(file, shard)
    mirror = Mirror(place) if isinstance(place, str) else None
    out = place if mirror is None else mirror.folder
    device = torch_device(values["device"])
    broken: dict[tuple[str, str], Exception] = {}
    shelf = Shelf(device, lambda kind, name, error: _say_broken(broken, kind, name, error))
    requests = [request for request in map(shelf.request, suite.run) if request is not None]
    if broken and (values["fail_fast"] or not requests):
        raise click.exceptions.Exit(1)
    planned = merged(job for request in requests for job in plan(request))
    jobs = observed(planned, out, suite.judges, keep=suite.save_images)
    workers = 1 if cluster is not None else values["jobs"] or 1
    threads = values["threads"] or (1 if workers > 1 or cluster is not None else default_threads(device))
    size = values["batch_size"]
    if mirror is not None:
        mirror.pull()
    if values["dry_run"]:
        mine = jobs if shard is None else shard_jobs(jobs, shard, size)
        announce(mine, Store(out), size, device, threads, values["jobs"] or 1)
        return
    fail_fast = values["fail_fast"]
    mine, outcome = _run(jobs, out, size, device, threads, workers, shard, cluster, mirror, fail_fast=fail_fast)
    _say_failures(outcome)
    if shard is not None:
        _conclude_shard(mine, outcome, shard)
    elif len(outcome.failures) < len(jobs):
        _conclude(requests, jobs, outcome, as_json=values["as_json"])
    if broken or outcome.failures:
        raise click.exceptions.Exit(1)


def _cluster(values: Mapping[str, Any]) -> Cluster | None:
    address, worker = values["ray_address"], values["ray_worker"]
    if values["engine"] == "local":
        if address is not None or worker is not None:
            raise InvalidInput("--ray-address and --ray-worker are for --engine ray; add it.")
        return None
    if values["threads"] is not None or values["device"] != "cpu":
        raise InvalidInput("--engine ray: say --ray-worker cpus=N,gpus=N in place of --threads and --device.")
    cluster = Cluster(address, workers=values["jobs"])
    return cluster if worker is None else cluster.using(worker)


def _folder_name(file: Path | None, shard: Shard | None) -> str:
    name = "bench" if file is None else file.stem
    return name if shard is None else f"{name}-{shard.index}-of-{shard.of}"


def _say_broken(known: dict[tuple[str, str], Exception], kind: str, name: str, error: Exception) -> None:
    """Say of each plug-in that raised once that it did; the others go on."""
    if known.setdefault((kind, name), error) is error:
        click.echo(f"robustiqa: failed: {kind} {name}: {type(error).__name__}: {error}", err=True)


def _of_options(values: Mapping[str, Any]) -> Suite:
    return Suite.model_construct(
        title="",
        run=[Run.model_construct(datasets=list(values["datasets"]), **_of_run(values, (*KEYS, *SCALARS)))],
        **_of_suite(values, ("judges", "save_images")),
    )


def _of_file(file: Path, values: Mapping[str, Any], given: Collection[str]) -> Suite:
    suite = load_suite(file, _of_run(values, given))
    runs = suite.run
    if "datasets" in given:
        runs = on_datasets(suite.run, values["datasets"])
        if len(runs) < len(suite.run):
            click.echo(f"{len(runs)} of {len(suite.run)} runs of {file} are on the given datasets.", err=True)
    return suite.model_copy(update={"run": runs, **_of_suite(values, given)})


def _of_run(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Options as a run of a suite spells them."""
    lists: dict[str, Any] = {name: list(map(_text, values[name])) for name in KEYS if name in names}
    return {**lists, **{name: values[name] for name in SCALARS if name in names}}


def _of_suite(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {"save_images": values["save_images"]} if "save_images" in names else {}
    if "judges" in names:
        text = values["judges"]
        changes["judges"] = None if text is None else [name for name in text.split(",") if name != NONE]
    return changes


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _run(
    jobs: Sequence[Job], out: Path, size: int, device: torch.device, threads: int, workers: int, shard: Shard | None,
    cluster: Cluster | None, mirror: Mirror | None, *, fail_fast: bool,
) -> tuple[list[Job], Outcome]:  # fmt: skip
    """What was run of the jobs: all, or the shard's; and what came of it."""
    with bar() as progress:
        task = progress.add_task("planning", total=None)

        def show(label: str, done: int, total: int) -> None:
            progress.update(task, description=label, completed=done, total=total)
            if mirror is not None:
                mirror.push_if_due()

        mine = prepared(jobs, out, size, shard, show)
        try:
            return mine, run(mine, out, size, device, show, threads, workers, cluster=cluster, fail_fast=fail_fast)
        finally:
            if mirror is not None:
                mirror.push()


def _say_failures(outcome: Outcome) -> None:
    for job, error in outcome.failures:
        click.echo(f"robustiqa: failed: {describe(job)}: {type(error).__name__}: {error}", err=True)
    if outcome.failures:
        click.echo(f"robustiqa: tracebacks are in {outcome.folder}/cells/*.jsonl.", err=True)


def _conclude_shard(jobs: Sequence[Job], outcome: Outcome, shard: Shard) -> None:
    """A table of some samples would be taken for one of all."""
    pairs = sum(len(job.pairs) for job in jobs)
    click.echo(f"Shard {shard}: {pairs} pairs of {len(jobs)} cells: {outcome.folder}/cells")
    click.echo(f"When all {shard.of} are done: robustiqa merge FOLDER... --out OUT")


def _conclude(requests: Sequence[Request], jobs: Sequence[Job], outcome: Outcome, *, as_json: bool) -> None:
    """Print the cells that were asked for, and where they are."""
    asked, results = {job.spec.key for job in jobs}, load_results(outcome.folder)
    rows = _rows(requests, asked, results)
    if as_json:
        click.echo(render(rows, "json"), nl=False)
        return
    if rows:
        _print_attacks(rows, [cell for cell in results.cells if cell.spec.key in asked])
    _print_clean([request for request in requests if not request.attacks], results.cells)
    click.echo(f"\nResults: {outcome.folder}/cells  ({len(asked)} cells)")
    click.echo(f"Report:  robustiqa report {outcome.folder} --format md")


def _rows(requests: Sequence[Request], asked: Collection[str], results: Results) -> list[Row]:
    """The rows of attacks that were asked for."""
    directions = list(dict.fromkeys(d for request in requests if request.attacks for d in request.directions))
    rows = results.rows(directions) if directions else []
    return [row for row in rows if set(asked) & set(row.view.keys)]


def _print_attacks(rows: Sequence[Row], cells: Sequence[Cell]) -> None:
    print_table(rows, Console())
    choices = choices_markdown(attacked_choices(cells))
    if choices:
        click.echo(f"\n{choices}", nl=False)


def _print_clean(requests: Sequence[Request], known: Sequence[Cell]) -> None:
    """Correlations of runs without attacks: one table for each dataset, with the models of all runs."""
    cells = {cell.spec.key: cell for cell in known}
    tables: dict[str, tuple[PairDataset, dict[str, Cell]]] = {}
    for request in requests:
        jobs = clean_jobs(request)
        for index, data in enumerate(request.datasets):
            limited = data.limited(request.limit)
            found = [job for job in jobs[index :: len(request.datasets)] if job.spec.key in cells]
            own = {job.spec.key: restricted(cells[job.spec.key], job) for job in found}
            tables.setdefault(limited.manifest(), (limited, {}))[1].update(own)
    for data, scored in tables.values():
        if scored:
            print_clean(data, list(scored.values()))
