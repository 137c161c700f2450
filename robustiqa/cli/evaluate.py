"""``robustiqa evaluate``."""

from pathlib import Path

import click

from robustiqa.cli.options import split_path


@click.command()
@click.option("--model", "models", multiple=True, required=True,
              help="Repeatable; the others are compared with the first.")
@click.option("--dataset", required=True, help="NAME or NAME=FOLDER, such as live=/data/live.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="First so many pairs.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/evaluate"), show_default=True,
              help="Folder of results; what it holds is not computed again.")
@click.option("--batch-size", type=click.IntRange(min=1), default=1, show_default=True)
def evaluate(models: tuple[str, ...], dataset: str, limit: int | None, out: Path, batch_size: int) -> None:
    """Correlate models with human scores on clean images, side by side, with paired intervals."""
    from robustiqa.benchmarks.bench import run
    from robustiqa.benchmarks.plan import Request, clean_jobs
    from robustiqa.benchmarks.store import Store
    from robustiqa.cli.progress import bar
    from robustiqa.datasets import load_dataset
    from robustiqa.models import load_model
    from robustiqa.reports.evaluation import evaluation_markdown, evaluations

    name, path = split_path(dataset)
    request = Request(tuple(map(load_model, models)), (), (load_dataset(name, path),), limit=limit)
    jobs = clean_jobs(request)
    with bar() as progress:
        task = progress.add_task("planning", total=None)
        outcome = run(jobs, out, batch_size, progress=lambda text, done, total: progress.update(
            task, description=text, completed=done, total=total))  # fmt: skip
    for job, error in outcome.failures:
        raise click.ClickException(f"{job.spec.model.name}: {error}") from error
    cells = {cell.spec.key: cell for cell in Store(out).cells()}
    wanted = {pair.id for pair in jobs[0].pairs}
    chosen = [cells[job.spec.key] for job in jobs]
    limited = [cell.model_copy(update={"samples": tuple(r for r in cell.samples if r.id in wanted)}) for cell in chosen]
    data = request.datasets[0]
    click.echo(f"{data.name}, {len(wanted)} pairs, {data.human_score}\n")
    click.echo(evaluation_markdown(evaluations(limited)), nl=False)
