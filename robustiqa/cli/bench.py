"""``robustiqa bench``."""

from pathlib import Path

import click

from robustiqa.cli.options import Eps, split_path

DEMO_LIMIT, DEMO_CROP = 35, 128
DIRECTIONS = ("up", "down", "tomean", "random")


@click.command()
@click.option("--model", "models", multiple=True, default=("birqa",), show_default=True,
              help="A model, such as lpips-alex or birqa:lbp=hard; repeatable. See: robustiqa models.")
@click.option("--attack", "attacks", multiple=True, default=("autoattack",), show_default=True,
              help="An attack, such as pgd:steps=40; repeatable. See: robustiqa attacks.")
@click.option("--defense", "defenses", multiple=True, default=("none",), show_default=True,
              help="A defense, or none; repeatable. See: robustiqa defenses.")
@click.option("--dataset", "datasets", multiple=True, default=("demo",), show_default=True,
              help="NAME or NAME=FOLDER, such as live=/data/live; repeatable. See: robustiqa datasets.")
@click.option("--eps", "eps", multiple=True, type=Eps(), default=("8/255",), show_default=True,
              help="L-infinity radius in [0, 1] units; repeatable.")
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
              help="Stop a search after so many seconds per sample of its batch, likewise  [default: no limit]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/bench"), show_default=True,
              help="Folder of results; what it holds is not computed again.")
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=None,
              help="How many share a batch, each with one core  [default: one a core, up to 8; 1 on other devices]")
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@click.option("--fail-fast", is_flag=True,
              help="Stop at the first cell that fails; otherwise it keeps its traceback and the others go on.")
@click.option("--dry-run", is_flag=True, help="Say what would run, and run nothing.")
def bench(
    models: tuple[str, ...], attacks: tuple[str, ...], defenses: tuple[str, ...], datasets: tuple[str, ...],
    eps: tuple[float, ...], directions: tuple[str, ...], threat: str, limit: int | None, crop: int | None,
    seed: int, eot: int | None, max_queries: int | None, max_seconds: float | None, out: Path, batch_size: int,
    threads: int | None, device: str, fail_fast: bool, dry_run: bool,
) -> None:
    """Attack models on a dataset and print how far their scores moved.

    Without options: birqa under autoattack, on 35 pairs of demo cropped to 128 pixels. That bare autoattack is its
    quick version, flagged reduced-budget; ask for autoattack:standard to quote numbers. A run that was stopped
    continues where it was; a finished one is only reported again.
    """
    from robustiqa.cli.bench_run import run_bench

    is_demo = datasets == ("demo",)
    run_bench(
        models=models,
        attacks=tuple(_quick(name) if is_demo and limit is None else name for name in attacks),
        defenses=defenses,
        datasets=[split_path(text) for text in datasets],
        eps=eps,
        directions=directions,
        threat=threat,
        limit=limit if limit is not None or not is_demo else DEMO_LIMIT,
        crop=(DEMO_CROP if is_demo else 0) if crop is None else crop,
        seed=seed,
        eot=eot,
        max_queries=max_queries,
        max_seconds=max_seconds,
        out=out,
        batch_size=batch_size,
        threads=threads,
        device=device,
        fail_fast=fail_fast,
        dry_run=dry_run,
    )


def _quick(attack: str) -> str:
    return "autoattack:quick" if attack == "autoattack" else attack
