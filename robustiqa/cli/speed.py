"""``robustiqa speed``."""

import json

import click


@click.command()
@click.option("--model", "models", multiple=True, required=True, help="Repeatable; ratios are to the first.")
@click.option("--size", default="1920x1080", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True, help="The BiRQA paper took 100.")
@click.option("--device", default="cpu", show_default=True, help="A torch device, such as cuda.")
@click.option("--json", "as_json", is_flag=True, help="Print seconds and ratios as JSON.")
def speed(models: tuple[str, ...], size: str, runs: int, device: str, as_json: bool) -> None:
    """Measure how many pairs a second models score, and how many steps of an attack they allow, side by side."""
    from robustiqa.benchmarks.speed import measure, synthetic_pair
    from robustiqa.cli.options import image_size, torch_device
    from robustiqa.models import load_model

    width, height = image_size(size)
    where = torch_device(device)
    ref, dist = (image.to(where) for image in synthetic_pair(width, height))
    speeds = measure([load_model(name).to(where) for name in models], ref, dist, runs)
    first = speeds[0]
    records = [
        {
            "model": one.model,
            "forward_s": one.forward,
            "forward_ratio": first.forward / one.forward,
            "attack_step_s": one.attack_step,
            "attack_step_ratio": first.attack_step / one.attack_step,
        }
        for one in speeds
    ]
    if as_json:
        click.echo(json.dumps({"size": f"{width}x{height}", "runs": runs, "device": device, "models": records}))
        return
    import pandas as pd

    rows = [
        [one.model, *(cell for s, f in ((one.forward, first.forward), (one.attack_step, first.attack_step))
                      for cell in (f"{s * 1000:.1f}", f"{1 / s:.2f}", f"{f / s:.2f}"))]
        for one in speeds
    ]  # fmt: skip
    head = ["model", "forward ms", "pairs/s", "x first", "attack step ms", "steps/s", "x first"]
    click.echo(f"{width}x{height}, {device}, median of {runs} interleaved runs\n")
    click.echo(pd.DataFrame(rows, columns=head).to_markdown(index=False, disable_numparse=True))
