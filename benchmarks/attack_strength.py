"""How strong is every attack, beside its counterparts in other libraries and beside the practical limit?

Runs what attack-strength.toml asks for and writes reports/attack-strength.md and .csv from all results there are. Every
attack on a model is a cell of --out, written batch by batch: a run that was killed goes on where it was, and one
process per model may run at the same time. Needs the extra engines.

Example: OMP_NUM_THREADS=1 python benchmarks/attack_strength.py --model lpips-alex --photographs /data/cid22
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import torch
from strength_tables import Measured, Suite, report, to_csv

import robustiqa as rq
from robustiqa.attacks.base import Attack
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.model import QualityModel
from robustiqa.core.objective import DIRECTIONS
from robustiqa.core.parameters import parse_eps
from robustiqa.training.perturbations import Recipe, learn

HERE: Final = Path(__file__).parent
REROUNDED: Final = "rerounded"  # folder inside --out


@dataclass(frozen=True)
class Setting:
    """One model with its images and attacks, of the suite's file."""

    model: QualityModel
    options: dict[str, Any]
    suite: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        """Every attack, as it is typed; the longest, which are the ensemble and the practical limit, come last."""
        attacks = self.suite["attacks"]
        texts = [self.spelled(text) for text in (*attacks["native"], *attacks["learned"])]
        texts += [text for pair in self.pairs for text in pair]
        texts += [attacks["ensemble"], *([attacks["limit"]] if self.options["limit"] else [])]
        return list(dict.fromkeys(texts))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Ours and theirs, as they are typed."""
        pairs = [(self.spelled(ours), self.spelled(theirs)) for ours, theirs in self.suite["attacks"]["pairs"]]
        return [pair for pair in pairs if self.options["black_box_peers"] or not pair[0].startswith("square")]

    def spelled(self, text: str) -> str:
        queries = self.options["queries"]
        return text.format(queries=queries, fewer_queries=queries - 2)

    @property
    def rounding(self) -> list[str]:
        """The attacks that are also run at the other number of images at once."""
        return [self.spelled(text) for group in self.suite["attacks"]["rounding"] for text in group]

    def images_at_once(self, text: str, *, other: bool = False) -> int:
        """One, as the engines take them, or as many as the suite says of attacks that it takes together."""
        attacks = self.suite["attacks"]
        together = text in map(self.spelled, attacks["together"])
        return attacks["images_at_once"] if together != other else 1

    def jobs(self, texts: list[str]) -> Iterator[tuple[str, Job | InvalidInput]]:
        """What each attack has to do, or why it cannot: a learned one that has learned nothing."""
        for text in texts:
            try:
                yield text, self._job(rq.load_attack(text))
            except InvalidInput as error:
                yield text, error

    def teach(self, photographs: Path) -> None:
        """Train the learned attacks on photographs, unless the cache has them."""
        data = rq.load_dataset("kadid-style", photographs)
        for kind in self.suite["attacks"]["learned"]:
            out = Path(self.suite["out"]) / "learned" / f"{kind}-{self.model.info.name}.safetensors"
            sign = DIRECTIONS[self.suite["direction"]]
            record = learn(kind, self.model, sign, data, Recipe(), out, lambda *_: None)
            click.echo(f"{kind}: held-out mean J {record['held_out_j']}", err=True)

    def _job(self, attack: Attack) -> Job:
        request = Request(
            models=(self.model,),
            attacks=(attack,),
            datasets=(rq.load_dataset(self.suite["dataset"]),),
            eps=(parse_eps(self.suite["eps"]),),
            directions=(self.suite["direction"],),
            limit=self.options["images"],
            crop=self.options["crop"],
            seed=self.suite["seed"],
        )
        (job,) = (job for job in plan(request) if job.attack is not None)
        return job


def settings(suite: dict[str, Any], models: tuple[str, ...]) -> list[Setting]:
    """Of the models asked for, or of all."""
    unknown = set(models) - set(suite["models"])
    if unknown:
        raise InvalidInput(f"{', '.join(sorted(unknown))} is not in the suite; it has {', '.join(suite['models'])}.")
    return [Setting(rq.load_model(name), suite["models"][name], suite) for name in models or suite["models"]]


def attack(setting: Setting, out: Path) -> None:
    """Run what is missing."""
    for folder, other, texts in ((out, False, setting.texts), (out / REROUNDED, True, setting.rounding)):
        for text, job in setting.jobs(texts):
            label = f"{setting.model.info.name} {text}{', rounded otherwise' if other else ''}"
            if isinstance(job, InvalidInput):
                click.echo(f"{label}: left out, {job}", err=True)
                continue
            for _, error in run([job], folder, batch_size=setting.images_at_once(text, other=other)).failures:
                raise error
            click.echo(f"{label}: done", err=True)


def rows(setting: Setting, folder: Path, texts: list[str]) -> dict[str, list[SampleRow]]:
    """What a folder holds of attacks, in the order of the dataset."""
    found, store = {}, Store(folder)
    for text, job in setting.jobs(texts):
        known = {} if isinstance(job, InvalidInput) else store.read(job.spec)
        found[text] = [] if isinstance(job, InvalidInput) else [known[p.id] for p in job.pairs if p.id in known]
    return found


def measured(setting: Setting, out: Path) -> Measured:
    """What the folder of the run holds of a model."""
    return Measured(
        model=setting.model.info,
        options=setting.options,
        sign=DIRECTIONS[setting.suite["direction"]] * setting.model.info.orientation,
        rows=rows(setting, out, setting.texts),
        rerounded=rows(setting, out / REROUNDED, setting.rounding),
        alike=[list(map(setting.spelled, group)) for group in setting.suite["attacks"]["rounding"]],
        pairs=setting.pairs,
        limit=setting.suite["attacks"]["limit"],
    )


@click.command(help=__doc__)
@click.argument("suite_file", type=click.Path(exists=True, path_type=Path), default=HERE / "attack-strength.toml")
@click.option("--model", "models", multiple=True, help="A model of the suite; repeatable  [default: all]")
@click.option("--photographs", type=click.Path(exists=True, path_type=Path),
              help="Folder of photographs, none of demo's, to train the learned attacks on.")
@click.option("--images", type=click.IntRange(min=1), help="Fewer images than the suite's, to try it out.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/attack-strength"), show_default=True)
@click.option("--report", "report_file", type=click.Path(path_type=Path), default=Path("reports/attack-strength.md"),
              show_default=True)
@click.option("--only-report", is_flag=True, help="Run nothing; write the report of what there is.")
def main(
    suite_file: Path, models: tuple[str, ...], photographs: Path | None, images: int | None, out: Path,
    report_file: Path, only_report: bool,
) -> None:
    torch.set_num_threads(1)
    suite: dict[str, Any] = {**tomllib.loads(suite_file.read_text()), "out": str(out)}
    if images is not None:
        suite["models"] = {name: {**options, "images": images} for name, options in suite["models"].items()}
    for setting in [] if only_report else settings(suite, models):
        if photographs is not None:
            setting.teach(photographs)
        attack(setting, out)
    found = [measured(setting, out) for setting in settings(suite, ())]
    write_atomically(report_file, report(found, Suite(suite["dataset"], suite["eps"], suite["direction"])))
    write_atomically(report_file.with_suffix(".csv"), to_csv(found))
    click.echo(f"{report_file}")


if __name__ == "__main__":
    main()
