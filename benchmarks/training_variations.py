"""Which settings of a training defense are best, at one short budget, on validation references under PGD-10?

Trains every variation of training-variations.toml that --out does not hold, and writes the table of all that it holds.
A run that was killed goes on where it was.

Example: OMP_NUM_THREADS=1 python benchmarks/training_variations.py --photographs /data/cid22
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import click
from tabulate import tabulate

from robustiqa.core.files import write_atomically
from robustiqa.datasets.synthetic import photographs as find_photographs
from robustiqa.models import TRAINABLE
from robustiqa.training.log import CsvLog
from robustiqa.training.recipe import Recipe, parse_recipe
from robustiqa.training.run import Run, judge_start, run_training

HERE: Final = Path(__file__).parent
CLEAN, GAIN, ATTACKED = "validation_srocc", "validation_gain", "validation_attacked_srocc"


@dataclass(frozen=True)
class Variation:
    """A recipe of the package, where the search for its settings started, and what is changed there."""

    recipe: str
    start: Mapping[str, Any]
    changes: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.recipe}: {self.change}"

    @property
    def change(self) -> str:
        """As a reader writes it: ``loss.temperature = 0.3``."""
        return ", ".join(_spelled(self.changes)) or "none"

    def resolved(self, model: str) -> Recipe:
        shipped = files("robustiqa.training").joinpath("recipes", f"{self.recipe}.toml").read_text(encoding="utf-8")
        return parse_recipe(merged(merged(tomllib.loads(shipped), self.start), self.changes), self.name, model)


def variations_of(suite: Mapping[str, Any]) -> list[Variation]:
    """Those that the suite lists, each from the common settings and those of its recipe."""
    starts = {recipe: merged(suite["common"], own) for recipe, own in suite["starts"].items()}
    tables = [dict(table) for table in suite["variations"]]
    return [Variation(recipe := table.pop("recipe"), starts[recipe], table) for table in tables]


def _spelled(changes: Mapping[str, Any], prefix: str = "") -> list[str]:
    texts = []
    for key, value in changes.items():
        inner = isinstance(value, Mapping)
        texts += _spelled(value, f"{prefix}{key}.") if inner else [f"{prefix}{key} = {value}"]
    return texts


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``, table by table."""
    both = dict(base)
    for key, value in changes.items():
        known = both.get(key)
        both[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return both


@dataclass(frozen=True)
class Trial:
    """What became of a variation."""

    variation: Variation
    facts: Mapping[str, Any]

    @property
    def last(self) -> Mapping[str, float]:
        return self.facts["last"]  # type: ignore[no-any-return]


def chosen(trials: list[Trial], base: Mapping[str, float], clean_cost: float) -> dict[str, Trial]:
    """Of each recipe the variation of the highest attacked SROCC among those whose clean cost is bearable."""
    best: dict[str, Trial] = {}
    for trial in trials:
        rival = best.get(trial.variation.recipe)
        bearable = trial.last[CLEAN] >= base[CLEAN] - clean_cost
        if bearable and (rival is None or trial.last[ATTACKED] > rival.last[ATTACKED]):
            best[trial.variation.recipe] = trial
    return best


def table(trials: list[Trial], base: Mapping[str, float], clean_cost: float) -> str:
    best = chosen(trials, base, clean_cost)
    lines = [["base", "", "", "", "", *(f"{base[key]:.3f}" for key in (CLEAN, GAIN, ATTACKED)), ""]]
    for trial in trials:
        last = trial.last
        mark = "chosen" if best.get(trial.variation.recipe) is trial else ""
        lines.append(
            [trial.variation.recipe, trial.variation.change, trial.facts["recipe"]["steps"], f"{last['passes']:.0f}",
             f"{last['total_seconds'] / 60:.1f}", *(f"{last[key]:.3f}" for key in (CLEAN, GAIN, ATTACKED)), mark]
        )  # fmt: skip
    heads = ["recipe", "change", "steps", "passes", "minutes", "SROCC clean ↑", "gain ↓", "SROCC attacked ↑", ""]
    return tabulate(lines, heads, tablefmt="pipe", disable_numparse=True)


def report(name: str, suite: Mapping[str, Any], trials: list[Trial], base: Mapping[str, float]) -> str:
    common = suite["common"]
    return f"""# Variations of the training defenses

Made by `python benchmarks/training_variations.py` from `benchmarks/{name}`: {suite["model"]}, every
run from the same checkpoint, with {common["budget"]:,} passes of {common["crops"][0]["size"]}-pixel crops, seed 0, one
thread. Judged on photographs that are not trained on, against labels made as those of training are: SROCC of whole
windows, clean; PGD-10 at 8/255 on {common["attacked_pairs"]} crops, mean gain (up, over the q01-q99 range of clean
scores) and SROCC (tomean). Chosen is the highest attacked SROCC among those that cost at most {suite["clean_cost"]} of
clean SROCC.

{table(trials, base, suite["clean_cost"])}
"""


@click.command(help=__doc__)
@click.argument("suite_file", type=click.Path(exists=True, path_type=Path), default=HERE / "training-variations.toml")
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--recipe", "recipes", multiple=True, help="Only this one's variations; repeatable  [default: all]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/training-variations"), show_default=True)
@click.option("--report", "report_file", type=click.Path(path_type=Path),
              default=Path("reports/training-variations.md"), show_default=True)
def main(suite_file: Path, photographs: Path, recipes: tuple[str, ...], out: Path, report_file: Path) -> None:
    suite = tomllib.loads(suite_file.read_text(encoding="utf-8"))
    pictures = tuple(find_photographs(photographs).values())
    trainable = TRAINABLE.get(suite["model"])
    variations = variations_of(suite)
    out.mkdir(parents=True, exist_ok=True)

    def run_of(index: int) -> Run:
        recipe = variations[index].resolved(suite["model"])
        return Run(trainable, trainable.entry.parameters(), recipe, pictures, out / f"{index:02d}.safetensors", jobs=1)

    base_file = out / "base.json"
    if not base_file.exists():
        write_atomically(base_file, json.dumps(judge_start(run_of(0))) + "\n")
    trials = []
    for index, variation in enumerate(variations):
        run = run_of(index)
        wanted = not recipes or variation.recipe in recipes
        facts = run.out.with_suffix(".json")
        if wanted and not facts.exists():
            run_training(run, CsvLog(run.out.with_suffix(".csv")))
            click.echo(f"{variation.name}: done", err=True)
        if facts.exists():
            trials.append(Trial(variation, json.loads(facts.read_text(encoding="utf-8"))))
            base = json.loads(base_file.read_text(encoding="utf-8"))
            write_atomically(report_file, report(suite_file.name, suite, trials, base))


if __name__ == "__main__":
    main()
