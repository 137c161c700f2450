"""What ``robustiqa rerun`` does once its options are read."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from robustiqa.benchmarks.again import is_built_in, job_of
from robustiqa.benchmarks.cell import Cell, CellSpec
from robustiqa.benchmarks.folder.sameness import in_words
from robustiqa.benchmarks.rerunning import Difference, Rerun, find_cell
from robustiqa.benchmarks.rerunning import rerun as compared
from robustiqa.cli.options import torch_device
from robustiqa.cli.progress import bar
from robustiqa.core.errors import DatasetLayoutError, InvalidInput
from robustiqa.core.parameters import split_path
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset


def run_rerun(
    folder: Path, text: str, dataset: str | None, weights: Path | None, limit: int | None, batch_size: int,
    threads: int, device: str, *, plugins: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compute, compare, print.

    Raises:
        InvalidInput: the cell cannot be made again here.
        Exit: with code 1, where a number differs.
    """
    where, cell = torch_device(device), find_cell(folder, text)
    if not plugins and not is_built_in(cell.spec):
        raise InvalidInput(f"{in_words(cell.spec)}: the cell names code of others; add --plugins if you trust it.")
    with bar() as progress:
        task = progress.add_task("loading", total=None)
        job = job_of(cell.spec, _dataset(cell.spec, dataset), weights)
        job.attacked.to(where)
        job.evaluated.to(where)
        found = compared(job, cell, where, limit, batch_size, threads, lambda label, done, total: progress.update(
            task, description=label, completed=done, total=total))  # fmt: skip
    _print(cell, found, as_json=as_json)
    if not found.equal:
        raise click.exceptions.Exit(1)


def _dataset(spec: CellSpec, text: str | None) -> PairDataset | None:
    """The cell's dataset, from where it was said to be."""
    if spec.purpose == "calibration":
        return None
    try:
        return load_dataset(*split_path(text or spec.dataset.name))
    except DatasetLayoutError as error:
        if text is not None:
            raise
        raise InvalidInput(f"say where the cell's images are: --dataset {spec.dataset.name}=FOLDER.") from error


def _print(cell: Cell, found: Rerun, *, as_json: bool) -> None:
    if as_json:
        record = {"cell": cell.spec.key, "what": in_words(cell.spec), "equal": found.equal, **asdict(found)}
        click.echo(json.dumps(record, indent=1))
        return
    click.echo(f"{cell.spec.key}: {in_words(cell.spec)}")
    if found.equal:
        click.echo(f"equal: all numbers of {found.samples} samples")
    for one in found.differences:
        click.echo(f"differs: {_words(one)} of {found.samples}, most in {one.where!r}")
    for line in found.environment:
        click.echo(f"not as it was: {line}")


def _words(one: Difference) -> str:
    gap = "" if one.largest is None else f" by up to {one.largest:.3g}"
    return f"{one.name}{gap} in {one.samples}"
