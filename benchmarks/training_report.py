"""What did each training cost, and what came out on validation references?

Writes README.md, and the picture and log of every run, from what `robustiqa train` left in a folder.

Example: python benchmarks/training_report.py runs/train
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from pipe_tables import table as pipe_table

from robustiqa.core.files import write_atomically

ORDER: Final = ("r", "at", "nt", "aat")  # recipes, as in the paper's tables
HEADS: Final = (
    "run", "seed", "steps", "passes", "minutes", "SROCC clean ↑", "gain ↓", "SROCC attacked ↑", "picture, log",
)  # fmt: skip
TEXT: Final = """# Trainings

Made by `python benchmarks/training_report.py` from the runs that [training](../../docs/training.md) lists. Minutes are
of one thread of a shared machine. Validation photographs are not trained on; labels are made as those of training are:
SROCC of whole windows, clean; PGD-10 at 8/255 on {pairs} crops, mean gain (up, over the q01-q99 range of clean scores)
and SROCC (tomean).

{table}
"""


def line(run: Path, facts: Mapping[str, Any]) -> list[str]:
    last = facts["last"]
    figures = [f"{last[f'validation_{name}']:.3f}" for name in ("srocc", "gain", "attacked_srocc")]
    spent = [f"{last['passes']:,.0f}", f"{last['total_seconds'] / 60:.1f}"]
    links = f"[svg]({run.stem}.svg), [csv]({run.stem}.csv)"
    return [run.stem, str(facts["seed"]), str(facts["recipe"]["steps"]), *spent, *figures, links]


def rank(run: Path) -> tuple[int, str]:
    """Defenses in the paper's order, their seeds behind them."""
    recipe = next((name for name in reversed(ORDER) if f"-{name}" in run.stem), "")
    return ORDER.index(recipe) if recipe else -1, run.stem


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports/training"), show_default=True)
def main(folder: Path, out: Path) -> None:
    found = {run: json.loads(run.read_text(encoding="utf-8")) for run in sorted(folder.glob("*.json"), key=rank)}
    if not found:
        raise click.ClickException(f"{folder} holds no finished training (*.json); run robustiqa train first.")
    out.mkdir(parents=True, exist_ok=True)
    for run in found:
        for suffix in (".svg", ".csv"):
            shutil.copy(run.with_suffix(suffix), out)
    pairs = {facts["recipe"]["attacked_pairs"] for facts in found.values()}
    table = pipe_table(HEADS, [line(*item) for item in found.items()])
    write_atomically(out / "README.md", TEXT.format(pairs=" or ".join(map(str, sorted(pairs))), table=table))


if __name__ == "__main__":
    main()
