"""``robustiqa attack``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robustiqa.cli.options import Eps, haste_options, names, quiet_option

if TYPE_CHECKING:
    from robustiqa.core.precision import Precision


@click.command()
@click.argument("reference", type=click.Path())
@click.argument("distorted", type=click.Path())
@click.option("--model", "model_name", shell_complete=names("models"), default="birqa", show_default=True,
              help="See: robustiqa models.")
@click.option("--defense", "defense_name", shell_complete=names("defenses"), default="none", show_default=True,
              help="See: robustiqa defenses.")
@click.option("--attack", "attack_name", shell_complete=names("attacks"), default="apgd", show_default=True,
              help="See: robustiqa attacks.")
@click.option("--eps", "radii", multiple=True, type=Eps(), default=("8/255",), show_default=True,
              help="Radius in [0, 1] units: L-infinity, or a root mean square for attacks with norm=l2; repeatable.")
@click.option("--direction", type=click.Choice(("up", "down")), default="up", show_default=True,
              help="up raises the quality that the model reports, down lowers it.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--eot", type=click.IntRange(min=1), default=None,
              help="Draws of a randomised model that each step averages  [default: what the model declares]")
@click.option("--max-queries", type=click.IntRange(min=1), default=None,
              help="Stop the search after so many model calls, and keep its best  [default: no limit]")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), default=None,
              help="Stop the search after so many seconds, likewise  [default: no limit]")
@haste_options
@click.option("--amplify", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True,
              help="How much the difference image shows.")
@click.option("--weights", default=None, help="Weights file or folder, or random (flagged).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the pictures and the JSON.")
@quiet_option
def attack(
    reference: str, distorted: str, model_name: str, defense_name: str, attack_name: str, radii: tuple[float, ...],
    direction: str, seed: int, eot: int | None, max_queries: int | None, max_seconds: float | None,
    precision: "Precision", compile: bool, amplify: float, weights: str | None, out: Path,  # noqa: A002 (the option's name)
) -> None:
    """Attack the image file DISTORTED against REFERENCE.

    For each ε OUT gets adversarial-EPS.png (8 bits, still within ε), difference-EPS.png and scores-EPS.json, where EPS
    is in levels of 255. Example:

    \b
      robustiqa attack ref.png dist.png --model birqa --attack apgd --eps 2/255 --eps 8/255 --out runs/one
    """
    from robustiqa.attacks import load_attack
    from robustiqa.attacks.limits import Limits
    from robustiqa.benchmarks.single import attack_pair, write_png
    from robustiqa.cli.progress import bar
    from robustiqa.core.files import write_atomically
    from robustiqa.core.images import read_image
    from robustiqa.core.objective import Objective
    from robustiqa.core.precision import Haste
    from robustiqa.defenses import load_defense
    from robustiqa.models import load_model

    ref, dist = read_image(reference), read_image(distorted)
    model, chosen = load_model(model_name, weights=weights), load_attack(attack_name)
    evaluated = model if defense_name == "none" else load_defense(defense_name).apply(model)
    limits, haste = Limits(max_queries, max_seconds), Haste(precision, compile).on(evaluated)
    haste.check(evaluated.device)
    for eps in radii:
        objective = Objective(evaluated, ref[None], direction, eot=eot, haste=haste)
        levels = f"{eps * 255:g}"
        with bar() as progress:
            progress.add_task(f"{attack_name} within {levels}/255", total=None)
            attacked = attack_pair(objective, chosen, dist, direction, eps, seed, limits)
        write_png(out / f"adversarial-{levels}.png", attacked.adversarial)
        write_png(out / f"difference-{levels}.png", attacked.difference(amplify))
        record = {**attacked.record, "reference": reference, "distorted": distorted, "defense": defense_name,
                  "precision": haste.precision, "compiled": haste.compiled}  # fmt: skip
        write_atomically(out / f"scores-{levels}.json", json.dumps(record, indent=1) + "\n")
        flags = f"  [{' '.join(record['flags'])}]" if record["flags"] else ""
        click.echo(f"eps {levels}/255: {record['clean_score']:.6g} -> {record['attacked_score_8bit']:.6g} "
                   f"({record['psnr']:.1f} dB)  {out}/adversarial-{levels}.png{flags}")  # fmt: skip
