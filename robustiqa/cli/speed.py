"""``robustiqa speed``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robustiqa.cli.options import haste_options, names, quiet_option
from robustiqa.core.parameters import split_path

if TYPE_CHECKING:
    import torch

    from robustiqa.core.model import QualityModel
    from robustiqa.core.precision import Precision
    from robustiqa.reports.evaluation import Evaluation


@click.command()
@click.option("--model", "models", shell_complete=names("models"), multiple=True, required=True,
              help="Repeatable; ratios are to the first. Untrained: topiq:weights=random, which is flagged.")
@click.option("--size", default="1920x1080", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True, help="The BiRQA paper took 100.")
@click.option("--dataset", default=None,
              help="NAME or NAME=FOLDER: adds PLCC and SROCC of the whole images there  [default: speed alone]")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="First so many pairs of the dataset.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/speed"), show_default=True,
              help="With --dataset: folder of speed.json and of the scores, of which those that it holds are not "
              "computed again.")
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@haste_options
@click.option("--json", "as_json", is_flag=True, help="Print seconds, ratios and correlations as JSON.")
@quiet_option
def speed(
    models: tuple[str, ...], size: str, runs: int, dataset: str | None, limit: int | None, out: Path, device: str,
    precision: "Precision", compile: bool, as_json: bool,  # noqa: A002 (the option's name)
) -> None:
    """Measure how many pairs a second models score, and how many steps of an attack they allow, side by side.

    End to end, the reference's features included; the images are in memory. The paper's Figure 3:

    \b
      robustiqa speed --model birqa --model dists --runs 100 --dataset pdap-hdds=/data/pdap-hdds
      robustiqa report runs/speed --figure figure3 --out figures
    """
    from robustiqa.benchmarks.speed import measure, synthetic_pair
    from robustiqa.cli.options import image_size, torch_device
    from robustiqa.cli.progress import bar
    from robustiqa.core.files import write_atomically
    from robustiqa.core.precision import EXACT, Haste
    from robustiqa.models import load_model
    from robustiqa.reports.speed import SPEED_FILE, speed_markdown, speed_records

    width, height = image_size(size)
    ref, dist = synthetic_pair(width, height)
    where, haste = torch_device(device), Haste(precision, compile)
    haste.check(where)
    loaded = [load_model(name).to(where) for name in models]
    evaluations = [] if dataset is None else _evaluations(loaded, dataset, limit, out, where)
    with bar() as progress:
        task = progress.add_task("timing", total=None)
        speeds = measure(
            loaded, ref.to(where), dist.to(where), runs,
            lambda done, total: progress.update(task, completed=done, total=total), haste,
        )  # fmt: skip
    facts = json.dumps(
        {"size": f"{width}x{height}", "runs": runs, "device": device, "precision": precision, "compiled": compile,
         "dataset": dataset and split_path(dataset)[0], "models": speed_records(speeds, evaluations)},
        allow_nan=False,
    )  # fmt: skip
    if evaluations:
        write_atomically(out / SPEED_FILE, facts + "\n")
    if as_json:
        click.echo(facts)
        return
    where_scored = "" if dataset is None else f"; PLCC and SROCC: {evaluations[0].n} pairs of {dataset}"
    hasty = "" if haste == EXACT else f"; attack steps in {precision}{', compiled' if compile else ''}"
    click.echo(f"{width}x{height}, {device}, median of {runs} interleaved runs{hasty}{where_scored}\n")
    click.echo(speed_markdown(speeds, evaluations))


def _evaluations(
    models: "list[QualityModel]", dataset: str, limit: int | None, out: Path, device: "torch.device"
) -> "list[Evaluation]":
    from robustiqa.cli.clean_scores import clean_cells
    from robustiqa.core.errors import InvalidInput
    from robustiqa.datasets import load_dataset
    from robustiqa.datasets.triplets import TripletDataset
    from robustiqa.reports.evaluation import evaluations

    data = load_dataset(*split_path(dataset))
    if isinstance(data, TripletDataset):
        raise InvalidInput(f"{data.name} holds comparisons; PLCC and SROCC need a dataset of scores.")
    return evaluations(clean_cells(models, [data], limit, out, device=device)[0])
