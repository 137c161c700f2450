"""Write reports/reference from a reference run: page, tables, figures, and a README with commands, hashes and times.

The claims of the paper are put beside the same cells by found.py.

Example: python benchmarks/reference_report.py runs/reference
"""

import shlex
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from pipe_tables import table

import robustiqa as rq
from robustiqa.benchmarks.cell import Cell
from robustiqa.cli.main import cli
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically

# Photographs of LIVE must not be shown, so the page has none.
REPORTS: Final = (
    "--format html,csv --pictures 0",
    "--format svg",
    *(f"--table {name} --with-paper --format md,csv" for name in ("table3", "table6", "table7", "table8", "defenses")),
    "--figure figure7",
)
TEXT: Final = """# Reference results

What the metrics and defenses of robustiqa are worth under attack, at the size that two cores finish. Made by
`python benchmarks/reference_report.py`; the suite, with what stands for which table of the paper, is
[`benchmarks/reference.toml`](../../benchmarks/reference.toml), and what the paper's claims look like beside it is
[what we found](../../docs/found.md).

{files}

Seed {seeds}; {first} to {last}; {hours:.1f} hours of one thread of a shared machine; torch {torch}.

{times}

## Weights
{weights}

## Commands
```sh
{commands}
```
"""


def hours(cells: Sequence[Cell]) -> str:
    """Time by model and defense, and how many cells and attacked images that were."""
    spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for cell in cells:
        counts = spent[cell.spec.model.name, cell.spec.defense.label if cell.spec.defense else "none"]
        for i, value in enumerate((1, len(cell.samples), seconds(cell))):
            counts[i] += value
    rows = [[*names, cells, images, f"{time / 3600:.2f}"] for names, (cells, images, time) in sorted(spent.items())]
    return table(["model", "defense", "cells", "images", "hours"], rows)


def seconds(cell: Cell) -> float:
    return sum(row.seconds for row in cell.samples)


def weights(cells: Sequence[Cell]) -> str:
    """sha256 of what was evaluated: the state of a model, of a defended model, or what an attack learned."""
    known = {
        (what, name, digest)
        for spec in (cell.spec for cell in cells)
        for what, name, digest in (
            ("model", spec.model.name, spec.model.weights),
            ("defense", f"{spec.model.name}, {spec.defense.label}" if spec.defense else "", _digest(spec.defense)),
            ("attack", f"{spec.model.name}, {spec.attack.label}" if spec.attack else "", _digest(spec.attack)),
        )
        if digest
    }
    return table(["", "of", "sha256"], [[what, name, f"`{digest}`"] for what, name, digest in sorted(known)])


def _digest(part: object) -> str:
    return str(getattr(part, "weights", ""))


@click.command(help=__doc__)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports/reference"), show_default=True)
def main(run: Path, out: Path) -> None:
    suite = "robustiqa bench benchmarks/reference.toml --dataset live=LIVE --dataset tid2013=TID2013 --out"
    missing = []
    for options in REPORTS:
        try:
            cli(["report", str(run), *shlex.split(options), "--out", str(out)], standalone_mode=False)
        except InvalidInput as error:
            missing.append(f"* not made: `{options}`: {error}")
    cells = rq.load_results(run).cells
    dates = sorted(str(cell.provenance["created"])[:10] for cell in cells)
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file() and path.name != "README.md")
    text = TEXT.format(
        files="\n".join([*(f"* [{file}]({file})" for file in files), *missing]),
        seeds=", ".join(sorted({str(cell.spec.seed) for cell in cells})),
        first=dates[0],
        last=dates[-1],
        hours=sum(map(seconds, cells)) / 3600,
        torch=", ".join(sorted({str(cell.provenance["torch"]) for cell in cells})),
        times=hours(cells),
        weights=weights(cells),
        commands="\n".join([f"{suite} {run}", *(f"robustiqa report {run} {one} --out {out}" for one in REPORTS)]),
    )
    write_atomically(out / "README.md", text)


if __name__ == "__main__":
    main()
