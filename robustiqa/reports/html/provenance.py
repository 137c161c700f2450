"""Where the numbers come from: data, weights, code, versions, seeds, each with its hash."""

from collections.abc import Iterable, Sequence

from robustiqa.benchmarks.cell import Cell as ResultCell
from robustiqa.benchmarks.cell import CellSpec, PartRecord, canonical
from robustiqa.benchmarks.provenance import UNEQUAL
from robustiqa.reports.html.tables import Cell, Table, text


def provenance(cells: Sequence[ResultCell]) -> tuple[Table, ...]:
    """Tables of datasets, models, attacks and defenses, and of what they ran on."""
    specs = [cell.spec for cell in cells]
    tables = (_datasets(specs), _models(specs), _parts(specs), _runs(cells))
    return tuple(table for table in tables if table.rows)


def _datasets(specs: Iterable[CellSpec]) -> Table:
    rows = {
        (
            text(spec.dataset.name),
            text("calibration" if spec.purpose == "calibration" else "results"),
            Cell(str(spec.dataset.pairs), css="number"),
            text(spec.dataset.human_score),
            text(spec.dataset.labels),
            Cell(spec.dataset.manifest, css="hash"),
        )
        for spec in specs
    }
    columns = ("dataset", "used for", "pairs", "human score", "labels", "sha256 of the manifest")
    return Table("Datasets", columns, _sorted(rows))


def _models(specs: Iterable[CellSpec]) -> Table:
    rows = {
        (
            text(spec.model.name),
            text("lower" if spec.model.lower_better else "higher"),
            text(spec.model.licence),
            text(", ".join(spec.model.trained_on) or "—"),
            text(spec.model.code),
            Cell(spec.model.weights, css="hash"),
        )
        for spec in specs
    }
    columns = ("model", "better is", "licence", "trained on", "code", "sha256 of the state")
    return Table("Models", columns, _sorted(rows))


def _parts(specs: Iterable[CellSpec]) -> Table:
    rows = {
        (text(part.label), text(kind), text(_parameters(part)), text(part.code), Cell(part.weights or "—", css="hash"))
        for spec in specs
        for kind, part in (("attack", spec.attack), ("defense", spec.defense))
        if part is not None
    }
    columns = ("name", "kind", "parameters", "code", "sha256 of weights")
    return Table("Attacks and defenses", columns, _sorted(rows))


def _parameters(part: PartRecord) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(part.parameters.items())) or "—"


def _runs(cells: Sequence[ResultCell]) -> Table:
    """Cells by what they were computed with; dates as a range."""
    groups: dict[str, list[ResultCell]] = {}
    for cell in cells:
        fixed = {name: value for name, value in cell.provenance.items() if name not in UNEQUAL}
        groups.setdefault(canonical([fixed, cell.spec.seed, cell.spec.precision]), []).append(cell)
    rows = [_run(group) for _, group in sorted(groups.items())]
    return Table("Runs", ("created (UTC)", "cells", "seed", "precision", "computed with"), tuple(rows))


def _run(group: Sequence[ResultCell]) -> tuple[Cell, ...]:
    first = group[0]
    dates = sorted(str(cell.provenance.get("created", "—")) for cell in group)
    period = dates[0] if dates[0] == dates[-1] else f"{dates[0]} – {dates[-1]}"
    versions = [f"{name} {value}" for name, value in sorted(first.provenance.items()) if name not in UNEQUAL]
    return (
        text(period),
        Cell(str(len(group)), css="number"),
        Cell(str(first.spec.seed), css="number"),
        text(first.spec.precision),
        text(", ".join(versions)),
    )


def _sorted(rows: Iterable[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(sorted(rows, key=lambda row: [cell.text for cell in row]))
