"""What are the training defenses worth, attack by attack, over images and over seeds?

Writes reports/training-defenses.md from runs of training-defenses.toml. Checkpoints of other seeds are further runs
with --defense aat:weights=FILE, or --model birqa:weights=FILE for the undefended model. Purifiers stand below.

Example: python benchmarks/defenses_report.py runs/defenses runs/defenses-seeds
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import click
from pipe_tables import table

import robustiqa as rq
from robustiqa.core.files import write_atomically
from robustiqa.reports.rows import Row
from robustiqa.statistics import Interval

TRAINED: Final = ("none", "r", "at", "nt", "aat")
PURIFIED_BY: Final = "apgd:steps=25"
TEXT: Final = """# Training defenses under attack

Made by `python benchmarks/defenses_report.py` from runs of
[`benchmarks/training-defenses.toml`](../benchmarks/training-defenses.toml), on photographs that no training saw:
{pairs} pairs, ε = 8/255. SROCC under `tomean`, with the 95 % interval over images, clustered by reference; after it,
where checkpoints of several seeds were attacked, the smallest and the largest of their estimates.

{tables}
"""
Group = dict[str, list[Row]]


def by_seed(rows: Iterable[Row]) -> Group:
    """Rows by what was evaluated: the checkpoint that a defense's bare name stands for first."""
    groups: Group = defaultdict(list)
    for row in sorted(rows, key=lambda row: "weights=" in _label(row)):
        defense = row.view.spec.defense
        groups[row.view.spec.model.weights + (defense.weights if defense else "")].append(row)
    return groups


def cell(rows: Iterable[Row], value: Callable[[Row], Interval]) -> str:
    """The first seed with its interval, and the range over all seeds."""
    estimates = [value(seed[0]) for seed in by_seed(rows).values()]
    if not estimates:
        return "-"
    first, found = estimates[0], [one.estimate for one in estimates]
    spread = f"; {min(found):.2f} to {max(found):.2f} of {len(found)} seeds" if len(found) > 1 else ""
    return f"{first.estimate:.2f} [{first.lo:.2f}, {first.hi:.2f}]{spread}"


def trained(rows: Sequence[Row]) -> str:
    """A line per training defense, a column per attack."""
    attacks = list(dict.fromkeys(_attack(row) for row in rows if _name(row) in TRAINED))
    lines = []
    for defense in TRAINED:
        own = [row for row in rows if _name(row) == defense and row.view.spec.threat != "oblivious"]
        clean = cell(own, lambda row: row.srocc_clean.clustered)
        attacked = (cell([row for row in own if _attack(row) == one], _attacked) for one in attacks)
        lines.append([defense, clean, *attacked])
    return table(["defense", "clean", *attacks], lines)


def purifiers(rows: Sequence[Row]) -> str:
    """A line per purifier: attacked by one who knows it, and by one who does not."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if _name(row) not in TRAINED and _attack(row) == PURIFIED_BY:
            found[_label(row)].append(row)
    lines = []
    for label, own in sorted(found.items()):
        unknowing = [row for row in own if row.view.spec.threat == "oblivious"]
        knowing = [row for row in own if row.view.spec.threat != "oblivious"]
        clean = cell(own[:1], lambda row: row.srocc_clean.clustered)
        lines.append([label, clean, cell(knowing, _attacked), cell(unknowing, _attacked)])
    return table(["purifier", "clean", f"{PURIFIED_BY}, adaptive", "oblivious"], lines) if lines else ""


def page(rows: Sequence[Row]) -> str:
    """A chapter per model."""
    known = [row for row in rows if row.view.direction == "tomean" and row.n]
    chapters = []
    for model in dict.fromkeys(row.view.spec.model.name for row in known):
        own = [row for row in known if row.view.spec.model.name == model]
        chapters.append("\n\n".join(filter(None, (f"## {model}", trained(own), purifiers(own)))))
    pairs = " or ".join(sorted({str(row.n) for row in known}))
    return TEXT.format(pairs=pairs, tables="\n\n".join(chapters))


def _attacked(row: Row) -> Interval:
    return row.srocc_attacked.clustered


def _name(row: Row) -> str:
    return row.view.spec.defense.name if row.view.spec.defense else "none"


def _label(row: Row) -> str:
    return row.view.spec.defense.label if row.view.spec.defense else "none"


def _attack(row: Row) -> str:
    return row.view.spec.attack.label if row.view.spec.attack else ""


@click.command(help=__doc__)
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports/training-defenses.md"), show_default=True)
def main(runs: tuple[Path, ...], out: Path) -> None:
    write_atomically(out, page([row for run in runs for row in rq.load_results(run).rows()]))
    click.echo(out)


if __name__ == "__main__":
    main()
