"""``robustiqa bench``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from robustiqa.cli.options import Eps, Place, haste_options, names, quiet_option

DEMO_LIMIT, DEMO_CROP = 35, 128
DIRECTIONS = ("up", "down", "tomean", "random")


@click.command()
@click.argument("suite", required=False, type=click.Path(path_type=Path))
@click.option("--model", "models", shell_complete=names("models"), multiple=True, default=("birqa",), show_default=True,
              help="A model, such as lpips-alex or birqa:lbp=hard; repeatable. See: robustiqa models.")
@click.option("--attack", "attacks", shell_complete=names("attacks"),
              multiple=True, default=("autoattack",), show_default=True,
              help="An attack, such as pgd:steps=40; repeatable. See: robustiqa attacks.")
@click.option("--defense", "defenses", shell_complete=names("defenses"),
              multiple=True, default=("none",), show_default=True,
              help="A defense, or none; repeatable. See: robustiqa defenses.")
@click.option("--dataset", "datasets", shell_complete=names("datasets"),
              multiple=True, default=("demo",), show_default=True,
              help="NAME or NAME=FOLDER, such as live=/data/live; repeatable. See: robustiqa datasets.")
@click.option("--eps", "eps", multiple=True, type=Eps(), default=(),
              help="L-infinity radius in [0, 1] units, such as 8/255; repeatable  [default: 8/255]")
@click.option("--direction", "directions", multiple=True, type=click.Choice(DIRECTIONS),
              default=("up", "tomean"), show_default=True,
              help="up raises the reported quality, down lowers it; tomean and random are composed per sample.")
@click.option("--threat", type=click.Choice(("adaptive", "oblivious")), default="adaptive", show_default=True,
              help="Attack the defended model itself, or the undefended one.")
@click.option("--limit", type=click.IntRange(min=1), default=None,
              help=f"First so many pairs of each dataset  [default: {DEMO_LIMIT} for demo alone, else all]")
@click.option("--crop", type=click.IntRange(min=0), default=None,
              help=f"Central window in pixels, 0 for whole images  [default: {DEMO_CROP} for demo alone, else 0]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--eot", type=click.IntRange(min=1), default=None,
              help="Draws of a randomised model that each attack step averages  [default: what the model declares]")
@click.option("--max-queries", type=click.IntRange(min=1), default=None,
              help="Stop a search after so many model calls per sample, and keep its best  [default: no limit]")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), default=None,
              help="Stop a search after so many seconds per sample of its batch, likewise. What hangs far beyond it "
                   "fails its own cell (on the CPU, where batches then run in processes)  [default: no limit]")
@click.option("--calibrate", default=None, metavar="METRIC=TARGET",
              help="Equal visibility in place of equal eps: each image gets the largest radius at which METRIC, "
                   "between the un-attacked and the attacked image, is still at TARGET, such as ssim=0.95; --eps is "
                   "then the largest radius looked at  [default: 64/255]")
@click.option("--judges", default=None, metavar="NAMES",
              help="Metrics, joined by commas, that compare each adversarial with the un-attacked image, or none  "
                   "[default: dists,fsim,ssim, as far as weights are at hand]")
@click.option("--save-images", is_flag=True, help="Keep reference, distorted and adversarial pictures (8 bits) in OUT.")
@click.option("--out", type=Place(), default=None,
              help="Folder of results, or a URL such as s3://bucket/run; what it holds is not computed again  "
                   "[default: runs/bench, or runs/SUITE; of a shard runs/bench-I-of-N]")
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=None,
              help="How many share a batch, each with one core  [default: one a core, up to 8; 1 on other devices]")
@click.option("--jobs", type=click.IntRange(min=1), default=None,
              help="Processes of one thread each that share batches, instead of threads; of a cluster its workers  "
                   "[default: 1; of a cluster as many as fit]")
@click.option("--engine", type=click.Choice(("local", "ray")), default="local", show_default=True,
              help="ray: workers on the nodes of a Ray cluster share batches; needs robustiqa[ray].")
@click.option("--ray-address", default=None, metavar="HOST:PORT",
              help="Of the cluster  [default: RAY_ADDRESS, else a cluster of this machine alone]")
@click.option("--ray-worker", default=None, metavar="NEEDS",
              help="What each worker has for itself, such as cpus=2,gpus=0.5,memory=8 (GB)  [default: cpus=1]")
@click.option("--shard", default=None, metavar="I/N",
              help="Only the I-th of N parts of the cells, for another machine or job each, with a folder of its own; "
                   "robustiqa merge puts them together.")
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@haste_options
@click.option("--fail-fast", is_flag=True,
              help="Stop at the first cell that fails; otherwise it keeps its traceback and the others go on.")
@click.option("--dry-run", is_flag=True, help="Say what would run and about how long it would take, and run nothing.")
@click.option("--json", "as_json", is_flag=True,
              help="Print the rows as JSON in place of the table, as report --format json does.")
@quiet_option
@click.pass_context
def bench(context: click.Context, /, suite: Path | None, **values: Any) -> None:  # noqa: ANN401 (click's values)
    """Attack models on a dataset and print how far their scores moved.

    Without a word more it says what there is to choose from. On demo alone it takes 35 pairs cropped to 128 pixels,
    and a bare autoattack is its quick version, flagged reduced-budget; ask for autoattack:standard to quote numbers. A
    run that was stopped continues where it was; a finished one is only reported again. A folder that holds the same
    names made with other data, weights, plug-in code or version is refused.

    SUITE is a TOML file of runs. Options that are given replace what it says, in all its runs. --dataset NAME=PATH says
    where its datasets are, and restricts it to those that are given. Example:

    \b
      robustiqa bench benchmarks/table3.toml --dataset kadid10k=/data/kadid10k --dry-run
    """
    from robustiqa.cli.bench_menu import menu
    from robustiqa.cli.bench_run import run_bench

    given = {name for name in values if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if suite is None and not given:
        menu()
        context.exit(2)
    if suite is None:
        values = _with_demo_defaults(values)
    run_bench(suite, values, given)


def _with_demo_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """On demo alone few pairs, a small crop and a quick attack, so that a first bench takes minutes."""
    is_demo = tuple(values["datasets"]) == ("demo",)
    changed = dict(values)
    if is_demo and values["limit"] is None:
        changed["limit"] = DEMO_LIMIT
    if is_demo:
        changed["attacks"] = tuple(_quick(name) for name in values["attacks"])
    if values["crop"] is None:
        changed["crop"] = DEMO_CROP if is_demo else 0
    return changed


def _quick(attack: str) -> str:
    return "autoattack:quick" if attack == "autoattack" else attack
