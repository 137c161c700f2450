"""``robustiqa score``."""

import json

import click

from robustiqa.cli.options import names


@click.command()
@click.argument("reference", type=click.Path())
@click.argument("distorted", type=click.Path())
@click.option("--model", "name", shell_complete=names("models"), default="birqa", show_default=True,
              help="See: robustiqa models.")
@click.option("--weights", default=None, help="Weights file or folder, or random (flagged).")
@click.option("--json", "as_json", is_flag=True, help="Print model, score, lower_better and any flags as JSON.")
def score(reference: str, distorted: str, name: str, weights: str | None, as_json: bool) -> None:
    """Score the image file DISTORTED against REFERENCE."""
    import math

    from robustiqa.core.errors import InvalidInput
    from robustiqa.core.images import read_image
    from robustiqa.models import load_model

    ref, dist = read_image(reference)[None], read_image(distorted)[None]
    model = load_model(name, weights=weights)
    value = float(model.score(ref, dist))
    if not math.isfinite(value):
        raise InvalidInput(f"{model.info.name} gave {value} for {distorted} against {reference}.")
    if as_json:
        record = {"model": model.info.name, "score": value, "lower_better": model.info.lower_better}
        click.echo(json.dumps(record | ({"flags": list(model.info.flags)} if model.info.flags else {})))
    else:
        better = "lower" if model.info.lower_better else "higher"
        flags = f"  [{' '.join(model.info.flags)}]" if model.info.flags else ""
        click.echo(f"{model.info.name}: {value:.6g} ({better} is better){flags}")
